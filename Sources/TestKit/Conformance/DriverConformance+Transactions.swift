import Kernel
import Persistence
import Testing

extension DriverConformance {
    static let transactionRules = [
        Rule("a closure that throws changes nothing, and its error comes out", rollback),
        Rule("a write that returned is seen by every later read", readAfterWrite),
        Rule("a write that returned is there for another process", otherProcess),
        Rule("a read sees one state from its first statement to its last", snapshot),
        Rule("a write sees what it wrote, and nobody else does before its commit", isolation),
        Rule("a read cannot write", readOnly),
        Rule("the database gives errors as the service knows them", serviceErrors),
        Rule("statements that would end the transaction are refused or do no harm", control),
    ]

    private static func rollback(_ store: TestStore) async throws {
        try await insertCounters([1], store)

        await #expect(throws: Planned(number: 3)) {
            try await store.database.write { tx in
                try tx.execute("UPDATE counters SET value = 9")
                try tx.insert(into: "counters", ["id": 2, "value": 0])
                throw Planned(number: 3)
            }
        }
        await #expect(throws: ServiceError.self) {
            try await store.database.write { tx in
                try tx.execute("DELETE FROM counters")
                throw ServiceError(.notFound, "Not Found")
            }
        }
        await #expect(throws: Planned(number: 4)) {
            try await store.database.read { _ in throw Planned(number: 4) }
        }
        let values = try await store.database.read { tx in
            try tx.all("SELECT id, value FROM counters") { [try $0.int(0), try $0.int(1)] }
        }

        #expect(values == [[1, 0]])
    }

    private static func readAfterWrite(_ store: TestStore) async throws {
        try await insertCounters([1], store)

        for round in 1...200 {
            try await store.database.write { tx in
                _ = try tx.execute("UPDATE counters SET value = \(round) WHERE id = 1")
            }
            let found = try await store.database.read { try value(of: 1, in: $0) }
            #expect(found == round)
        }
    }

    private static func otherProcess(_ store: TestStore) async throws {
        let other = try await store.open()
        do {
            for round in 0..<20 {
                try await insertCounters([round], store)
                let count = try await other.read { try $0.count("SELECT COUNT(*) FROM counters") }
                #expect(count == round + 1)
            }
        } catch {
            await other.close()
            throw error
        }
        await other.close()
    }

    private static func snapshot(_ store: TestStore) async throws {
        try await insertCounters([1], store)
        let (hasRead, hasWritten) = (Gate(), Gate())

        async let states = store.database.read { tx in
            let before = try value(of: 1, in: tx)
            hasRead.open()
            let wasWritten = hasWritten.block()
            let after = try value(of: 1, in: tx)
            let count = try tx.count("SELECT COUNT(*) FROM counters")
            return (before, wasWritten, after, count)
        }
        await hasRead.wait()
        try await store.database.write { tx in
            try tx.execute("UPDATE counters SET value = 7")
            try tx.insert(into: "counters", ["id": 2, "value": 0])
        }
        hasWritten.open()
        let (before, wasWritten, after, count) = try await states
        let later = try await store.database.read { try value(of: 1, in: $0) }

        #expect(wasWritten)
        #expect(before == 0 && after == 0 && count == 1)
        #expect(later == 7)
    }

    private static func isolation(_ store: TestStore) async throws {
        try await insertCounters([1], store)
        let (hasWritten, hasRead) = (Gate(), Gate())

        async let own = store.database.write { tx in
            try tx.execute("UPDATE counters SET value = 5")
            let seen = try value(of: 1, in: tx)
            hasWritten.open()
            return (seen, hasRead.block())
        }
        await hasWritten.wait()
        let seen = try await store.database.read { try value(of: 1, in: $0) }
        hasRead.open()
        let (written, wasRead) = try await own

        #expect(wasRead)
        #expect(written == 5 && seen == 0)
    }

    private static func readOnly(_ store: TestStore) async throws {
        try await insertCounters([1], store)
        let statements: [SQL] = [
            "INSERT INTO counters (id, value) VALUES (2, 0)", "UPDATE counters SET value = 1", "DELETE FROM counters",
            "CREATE TABLE more (id INTEGER)",
        ]

        for sql in statements {
            await #expect(throws: DatabaseError.self, "\(sql.text)") {
                try await store.driver.read { tx in _ = try tx.execute(sql) }
            }
        }
        let values = try await store.database.read { tx in
            try tx.all("SELECT value FROM counters") { try $0.int(0) }
        }

        #expect(values == [0])
    }

    private static func serviceErrors(_ store: TestStore) async throws {
        try await insertCounters([1], store)

        let codes = await [
            code { try await store.database.write { try $0.insert(into: "counters", ["id": 1, "value": 0]) } },
            code { try await store.database.write { _ = try $0.execute("UPDATE counters SET nothing = 1") } },
            // As after a move of the database, which gives tables other names.
            code { try await store.database.write { _ = try $0.execute("DELETE FROM nowhere") } },
            code { try await store.database.write { _ in throw DatabaseError.unavailable("planned") } },
        ]

        #expect(codes == [.conflict, .internalError, .unavailable, .unavailable])
    }

    private static func code(_ body: () async throws -> Void) async -> ServiceError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? ServiceError)?.code
        }
    }

    /// Engines differ in whether they refuse such a statement; nobody may see half of a transaction.
    private static func control(_ store: TestStore) async throws {
        try await insertCounters([1], store)

        for sql in ["COMMIT", "ROLLBACK", "BEGIN", "SAVEPOINT mine"] as [SQL] {
            _ = await databaseError {
                try await store.driver.write { tx in
                    try tx.execute("UPDATE counters SET value = 1")
                    try tx.execute("UPDATE nowhere SET value = 1")
                    try tx.execute(sql)
                }
            }
        }
        try await insertCounters([2], store)
        let values = try await store.database.read { tx in
            try tx.all("SELECT value FROM counters ORDER BY id") { try $0.int(0) }
        }

        #expect(values == [0, 0])
    }
}
