/// The settings of a session, as data: what is set after connecting, and read back.
///
/// Whatever a server's or an account's defaults are, every connection behaves the same.
package struct MySQLSession: Sendable {
    /// Values that another one may stand beside, as in a list of modes.
    private static let lists: Set<String> = ["sql_mode"]

    /// Strictness, and the reading of SQL that SQLite has as well: `"a"` is a name, `||` joins texts, a backslash is a
    /// character like any other.
    static let modes = [
        "STRICT_ALL_TABLES", "NO_ENGINE_SUBSTITUTION", "ANSI_QUOTES", "PIPES_AS_CONCAT", "NO_BACKSLASH_ESCAPES",
    ]

    /// Names and values in the form in which the server shows them.
    package let settings: [(name: String, value: String)]
    /// Those without a name that is the same on every server: set, and read back under whichever name exists.
    let isolation = "READ-COMMITTED"

    package init(isMariaDB: Bool, version: Int, lock: Duration, statement: Duration?) {
        var settings: [(name: String, value: String)] = [
            ("sql_mode", Self.modes.joined(separator: ",")),
            ("time_zone", "+00:00"),
            ("collation_connection", "utf8mb4_bin"),
            ("lc_messages", "en_US"),
            ("autocommit", "ON"),
            ("completion_type", "NO_CHAIN"),
            ("default_storage_engine", "InnoDB"),
            ("foreign_key_checks", "ON"),
            ("unique_checks", "ON"),
            ("sql_safe_updates", "OFF"),
            ("innodb_lock_wait_timeout", "\(lock.components.seconds)"),
            ("lock_wait_timeout", "\(lock.components.seconds)"),
        ]
        // Only SELECTs on MySQL, every statement on MariaDB; older servers have neither.
        if isMariaDB, version >= 100_101 {
            settings.append(("max_statement_time", "\(statement?.components.seconds ?? 0).000000"))
        } else if !isMariaDB, version >= 50708 {
            settings.append(("max_execution_time", "\((statement?.components.seconds ?? 0) * 1000)"))
        }
        self.settings = settings
    }

    /// One statement that sets all of them.
    package var setStatement: String {
        let assignments = settings.map { name, value in
            let isPlain = value == "ON" || value == "OFF" || value.utf8.allSatisfy(Self.isNumberByte)
            return "\(name) = \(isPlain ? value : "'\(value)'")"
        }
        return "SET SESSION \(assignments.joined(separator: ", SESSION "))"
    }

    /// One statement that reads them, and `max_allowed_packet` beside them.
    package var readStatement: String {
        let names = settings.map(\.name) + ["tx_isolation", "transaction_isolation", "max_allowed_packet"]
        return "SHOW SESSION VARIABLES WHERE Variable_name IN ('\(names.joined(separator: "', '"))')"
    }

    /// The first setting that did not come back as set, in words.
    package func difference(to found: [String: String]) -> String? {
        for (name, value) in settings {
            guard let actual = found[name] else { return "\(name) does not exist" }
            guard Self.agrees(name, actual, value) else { return "\(name) is '\(actual)' instead of '\(value)'" }
        }
        let level = found["transaction_isolation"] ?? found["tx_isolation"] ?? ""
        return level == isolation ? nil : "the isolation level is '\(level)' instead of '\(isolation)'"
    }

    private static func agrees(_ name: String, _ actual: String, _ wanted: String) -> Bool {
        guard lists.contains(name) else { return actual.lowercased() == wanted.lowercased() }
        let present = Set(actual.split(separator: ","))
        return wanted.split(separator: ",").allSatisfy(present.contains)
    }

    private static func isNumberByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: ".")
    }
}
