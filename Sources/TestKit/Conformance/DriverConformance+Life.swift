import Kernel
import Persistence
import Testing

extension DriverConformance {
    static let lifeRules = [
        Rule("close lets work end and refuses what comes later", closing),
        Rule("what was written is there when the database is opened again", reopening),
        Rule("migrate runs alone, commits each statement and undoes a transaction that throws", migrating),
    ]

    private static func closing(_ store: TestStore) async throws {
        try await insertCounters([1], store)
        let hasBegun = Gate()

        async let running = store.database.write { tx in
            try increment(1, in: tx)
            hasBegun.open()
            try tx.insert(into: "counters", ["id": 2, "value": 0])
            return 7
        }
        await hasBegun.wait()
        async let first: Void = store.driver.close()
        async let second: Void = store.driver.close()
        _ = await (first, second)
        let result = try await running

        #expect(result == 7)
        for refused in [
            await databaseError { try await store.driver.write { _ in } },
            await databaseError { try await store.driver.read { _ in } },
            await databaseError { try await store.driver.migrate { _ in } },
        ] {
            guard case .unavailable = refused else {
                Issue.record("was not refused: \(String(describing: refused))")
                continue
            }
        }
        let other = try await store.open()
        let values = try await other.read { tx in [try value(of: 1, in: tx), try value(of: 2, in: tx)] }
        await other.close()
        #expect(values == [1, 0])
    }

    private static func reopening(_ store: TestStore) async throws {
        try await insertCounters(0..<1000, store)
        await store.driver.close()

        for round in 0..<3 {
            let driver = try await store.open()
            let count = try await driver.read { try $0.count("SELECT COUNT(*) FROM counters") }
            try await driver.write { try $0.insert(into: "counters", ["id": 1000 + round, "value": 0]) }
            await driver.close()
            #expect(count == 1000 + round)
        }
    }

    private static func migrating(_ store: TestStore) async throws {
        try await store.database.migrate { session in
            #expect(session.dialect == store.engine.dialect)
            try session.execute("CREATE TABLE extra (id INTEGER NOT NULL PRIMARY KEY)")
            try session.transaction { tx in try tx.insert(into: "counters", ["id": 1, "value": 0]) }
            do {
                try session.transaction { tx in
                    try tx.insert(into: "counters", ["id": 2, "value": 0])
                    throw Planned()
                }
            } catch is Planned {}
        }
        await #expect(throws: Planned(number: 2)) {
            try await store.database.migrate { session in
                try session.execute("INSERT INTO extra (id) VALUES (1)")
                throw Planned(number: 2)
            }
        }
        let counts = try await store.database.read { tx in
            [try tx.count("SELECT COUNT(*) FROM extra"), try tx.count("SELECT COUNT(*) FROM counters")]
        }

        #expect(counts == [1, 1])
    }
}
