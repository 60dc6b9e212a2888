import PersistenceMySQL
import Testing

@Suite("The settings of a MySQL session")
struct MySQLSessionTests {
    private static let session = MySQLSession(
        isMariaDB: true,
        version: 101_119,
        lock: .seconds(5),
        statement: .seconds(10)
    )

    private static var asSet: [String: String] {
        var found = Dictionary(uniqueKeysWithValues: session.settings.map { ($0.name, $0.value) })
        found["tx_isolation"] = "READ-COMMITTED"
        return found
    }

    @Test("are set in one statement, numbers and words as they are, texts quoted")
    func statement() {
        let text = Self.session.setStatement

        #expect(text.hasPrefix("SET SESSION sql_mode = 'STRICT_ALL_TABLES,"))
        #expect(text.contains(", SESSION time_zone = '+00:00'"))
        #expect(text.contains(", SESSION autocommit = ON"))
        #expect(text.contains(", SESSION innodb_lock_wait_timeout = 5"))
        #expect(text.contains(", SESSION max_statement_time = 10.000000"))
    }

    @Test(
        "limit statements in the way of each server",
        arguments: [
            (true, 101_119, "max_statement_time"), (true, 100_038, nil), (false, 90_704, "max_execution_time"),
            (false, 50_708, "max_execution_time"), (false, 50_651, nil),
        ]
    )
    func flavours(isMariaDB: Bool, version: Int, setting: String?) {
        let session = MySQLSession(isMariaDB: isMariaDB, version: version, lock: .seconds(5), statement: .seconds(10))
        let names = session.settings.map(\.name)

        let limits = names.filter { $0.hasPrefix("max_") }

        #expect(limits == [setting].compactMap { $0 })
        #expect(names.allSatisfy { session.readStatement.contains("'\($0)'") })
    }

    @Test("are accepted when they come back as set, in any case, with modes beside ours")
    func accepted() {
        var found = Self.asSet
        found["sql_mode"]?.append(",NO_ZERO_DATE")
        found["autocommit"] = "on"

        #expect(Self.session.difference(to: found) == nil)
        #expect(Self.session.difference(to: Self.asSet) == nil)
    }

    @Test(
        "are refused when one of them did not come back as set",
        arguments: [
            ("sql_mode", "STRICT_ALL_TABLES", "sql_mode"), ("time_zone", "SYSTEM", "time_zone"),
            ("autocommit", "OFF", "autocommit"), ("tx_isolation", "REPEATABLE-READ", "isolation level"),
            ("collation_connection", nil, "collation_connection"), ("tx_isolation", nil, "isolation level"),
        ] as [(String, String?, String)]
    )
    func refused(name: String, value: String?, word: String) {
        var found = Self.asSet
        found[name] = value

        #expect(Self.session.difference(to: found)?.contains(word) == true)
    }
}

@Suite("The table of prepared statements")
struct StatementCacheTests {
    @Test("gives up the entry that was not used for longest")
    func leastRecentlyUsed() {
        var cache = StatementCache<Int>(limit: 2)
        let first = cache.insert(1, for: "a")
        let second = cache.insert(2, for: "b")
        let used = cache.value(for: "a")

        let evicted = cache.insert(3, for: "c")

        #expect(first == nil && second == nil && used == 1)
        #expect(evicted == 2)
        #expect(cache.value(for: "b") == nil)
        #expect(cache.count == 2)
    }

    @Test("gives back what a new value replaces or a removal takes out")
    func replaces() {
        var cache = StatementCache<Int>(limit: 2)
        _ = cache.insert(1, for: "a")

        let replaced = cache.insert(2, for: "a")
        let removed = cache.remove("a")
        let nothing = cache.remove("a")

        #expect(replaced == 1)
        #expect(removed == 2)
        #expect(nothing == nil)
        #expect(cache.count == 0)
    }
}
