import Persistence

/// What a server is and how it is set up, read at start.
///
/// The settings are the server's own, not those of our sessions.
package struct MySQLServerReport: Sendable, Equatable {
    package let isMariaDB: Bool
    /// As the server writes it.
    package let version: String
    /// The cipher and version in use, or nil in clear text.
    package let tls: String?
    /// Bytes that one statement or row may have.
    package let maximumPacket: Int
    package let warnings: [Warning]

    /// Something an operator should know (`design/reliability-security.md`, D2), one line.
    package enum Warning: Sendable, Equatable, CustomStringConvertible {
        /// A commit may be lost in a crash.
        case commitsAreNotFlushed(value: String)
        /// The binary log may lack a commit after a crash, so replicas and restored backups may, too.
        case binaryLogIsNotFlushed(value: String)
        /// A page that was half written in a power cut cannot be repaired.
        case doubleWriteIsOff
        /// `READ COMMITTED`, which every write uses, is refused.
        case binaryLogIsStatementBased
        case isReadOnly
        /// Several servers that all take writes lose updates: give the address of one.
        case isGalera
        /// Such an account may write to a server that was made read-only, as in a fail-over.
        case accountIsAdministrator
        case packetIsSmall(bytes: Int)
        case connectionsAreFew(allowed: Int, wanted: Int)

        package var description: String {
            switch self {
            case .commitsAreNotFlushed(let value):
                "innodb_flush_log_at_trx_commit is \(value): a crash of the machine loses confirmed changes; set it to 1"
            case .binaryLogIsNotFlushed(let value):
                "sync_binlog is \(value) and the binary log is on: after a crash it may lack confirmed changes; set it to 1"
            case .doubleWriteIsOff:
                "innodb_doublewrite is off: a power cut can damage data beyond repair; turn it on"
            case .binaryLogIsStatementBased:
                "binlog_format is STATEMENT, with which the server refuses our transactions; set it to ROW"
            case .isReadOnly:
                "the server is read-only; check that PULUMI_DATABASE_ENDPOINT names the primary"
            case .isGalera:
                "the server is part of a Galera cluster: give one node the writes, because several lose updates"
            case .accountIsAdministrator:
                "the account may administer the server, so read_only does not stop it in a fail-over; take the right away"
            case .packetIsSmall(let bytes):
                "max_allowed_packet is \(bytes) bytes; set it to 16777216 or more"
            case .connectionsAreFew(let allowed, let wanted):
                "max_connections is \(allowed); each server process here opens up to \(wanted)"
            }
        }
    }
}

extension MySQLServerReport {
    private static let variables = [
        "version", "innodb_flush_log_at_trx_commit", "log_bin", "sync_binlog", "innodb_doublewrite", "binlog_format",
        "read_only", "super_read_only", "innodb_read_only", "wsrep_on", "max_allowed_packet", "max_connections",
    ]

    init(_ connection: MySQLConnection) throws {
        let names = Self.variables.joined(separator: "', '")
        var found: [String: String] = [:]
        for row in try connection.texts("SHOW GLOBAL VARIABLES WHERE Variable_name IN ('\(names)')")
        where row.count == 2 {
            if let name = row[0], let value = row[1] { found[name.lowercased()] = value }
        }
        let status = try connection.texts("SHOW SESSION STATUS WHERE Variable_name IN ('Ssl_cipher', 'Ssl_version')")
        let tls = status.compactMap { $0.count == 2 ? $0[1] : nil }.filter { !$0.isEmpty }
        let grants = try connection.texts("SHOW GRANTS").compactMap { $0.first ?? nil }
        self.init(
            isMariaDB: connection.isMariaDB,
            variables: found,
            tls: tls.isEmpty ? nil : tls.joined(separator: " "),
            grants: grants,
            wantedConnections: connection.configuration.limits.connections
        )
    }

    /// Judges what a server said.
    package init(isMariaDB: Bool, variables: [String: String], tls: String?, grants: [String], wantedConnections: Int) {
        self.isMariaDB = isMariaDB
        version = variables["version"] ?? "unknown"
        self.tls = tls
        maximumPacket = variables["max_allowed_packet"].flatMap { Int($0) } ?? 0
        let connections = variables["max_connections"].flatMap { Int($0) } ?? Int.max

        func isOn(_ name: String) -> Bool { ["on", "1", "yes", "true"].contains(variables[name]?.lowercased()) }
        var warnings: [Warning] = []
        if let value = variables["innodb_flush_log_at_trx_commit"], value != "1" {
            warnings.append(.commitsAreNotFlushed(value: value))
        }
        if isOn("log_bin"), let value = variables["sync_binlog"], value != "1" {
            warnings.append(.binaryLogIsNotFlushed(value: value))
        }
        if let value = variables["innodb_doublewrite"]?.lowercased(), ["off", "0", "detect_only"].contains(value) {
            warnings.append(.doubleWriteIsOff)
        }
        if isOn("log_bin"), variables["binlog_format"] == "STATEMENT" { warnings.append(.binaryLogIsStatementBased) }
        if isOn("read_only") || isOn("super_read_only") || isOn("innodb_read_only") { warnings.append(.isReadOnly) }
        if isOn("wsrep_on") { warnings.append(.isGalera) }
        if grants.contains(where: Self.isAdministrative) { warnings.append(.accountIsAdministrator) }
        if maximumPacket > 0, maximumPacket < 16 << 20 { warnings.append(.packetIsSmall(bytes: maximumPacket)) }
        // One more for migrations.
        if connections < wantedConnections + 1 {
            warnings.append(.connectionsAreFew(allowed: connections, wanted: wantedConnections + 1))
        }
        self.warnings = warnings
    }

    /// Whether a line of `SHOW GRANTS` gives rights with which `read_only` is ignored.
    private static func isAdministrative(_ grant: String) -> Bool {
        guard let target = grant.firstRange(of: " ON *.* ") else { return false }
        let rights = grant[..<target.lowerBound].dropFirst("GRANT ".count).split(separator: ",")
        let administrative = ["ALL PRIVILEGES", "SUPER", "READ_ONLY ADMIN", "READ ONLY ADMIN", "CONNECTION_ADMIN"]
        return rights.contains { right in
            let name = right.drop { $0 == " " }
            return administrative.contains { $0 == name }
        }
    }
}
