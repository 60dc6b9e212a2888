import Kernel
import Persistence
import Testing

extension DriverConformance {
    static let keyRules = [
        Rule("a duplicate is told by the name of its key, and the transaction goes on", duplicates),
        Rule("insertIgnoringDuplicates inserts once and says so", ignoredDuplicates),
        Rule("upsert inserts, then sets", upserts),
        Rule("a unique key holds any number of nulls", nullKeys),
        Rule("a row that others refer to stays", references),
    ]

    private static func duplicates(_ store: TestStore) async throws {
        let first = ManualClock.shared.effects.id(Sample.self)
        try await store.database.write { tx in
            try tx.insert(into: "samples", ["id": first, "name": "one", "code": "a", "number": 1])
        }

        let keys = try await store.database.write { tx in
            let other = ManualClock.shared.effects.id(Sample.self)
            let rows: [ColumnValues] = [
                ["id": first], ["id": other, "name": "one"], ["id": other, "code": "a", "number": 1],
                ["id": other, "name": "two", "code": "a", "number": 2],
            ]
            return try rows.map { row in
                do {
                    try tx.insert(into: "samples", row)
                    return "inserted"
                } catch DatabaseError.duplicate(let key) {
                    return key
                }
            }
        }
        let count = try await store.database.read { try $0.count("SELECT COUNT(*) FROM samples") }

        #expect(keys == ["PRIMARY", "samples_name", "samples_code_number", "inserted"])
        #expect(count == 2)
    }

    private static func ignoredDuplicates(_ store: TestStore) async throws {
        let id = ManualClock.shared.effects.id(Sample.self)
        let other = ManualClock.shared.effects.id(Sample.self)

        let answers = try await store.database.write { tx in
            [
                try tx.insertIgnoringDuplicates(into: "samples", ["id": id, "name": "one"]),
                try tx.insertIgnoringDuplicates(into: "samples", ["id": id, "name": "changed"]),
                try tx.insertIgnoringDuplicates(into: "samples", ["id": other, "name": "one"]),
                try tx.insertIgnoringDuplicates(into: "samples", ["id": id, "name": "one"]),
            ]
        }
        let rows = try await store.database.read { tx in
            try tx.all("SELECT id, name FROM samples") { "\(try $0.id(0, of: Sample.self)) \(try $0.text(1))" }
        }

        #expect(answers == [true, false, false, false])
        #expect(rows == ["\(id) one"])
    }

    private static func upserts(_ store: TestStore) async throws {
        let values = try await store.database.write { tx in
            try [5, 6, 6].map { value in
                try tx.upsert(into: "counters", key: ["id": 1], set: ["value": value])
                return try Self.value(of: 1, in: tx)
            }
        }
        let count = try await store.database.read { try $0.count("SELECT COUNT(*) FROM counters") }

        #expect(values == [5, 6, 6])
        #expect(count == 1)
    }

    private static func nullKeys(_ store: TestStore) async throws {
        let count = try await store.database.write { tx in
            for _ in 0..<3 {
                try tx.insert(into: "samples", ["id": ManualClock.shared.effects.id(Sample.self), "code": "same"])
            }
            return try tx.count("SELECT COUNT(*) FROM samples WHERE code = \("same")")
        }

        #expect(count == 3)
    }

    private static func references(_ store: TestStore) async throws {
        try await insertCounters(1...2, store)
        try await store.database.write { try $0.insert(into: "parts", ["id": 1, "counter_id": 1]) }

        let error = await databaseError {
            try await store.driver.write { tx in _ = try tx.execute("DELETE FROM counters WHERE id = 1") }
        }
        let deleted = try await store.database.write { tx in
            try tx.execute("DELETE FROM parts")
            return try tx.execute("DELETE FROM counters WHERE id = 1")
        }

        guard case .statement = error else {
            Issue.record("was not refused: \(String(describing: error))")
            return
        }
        #expect(deleted == 1)
    }
}

extension ManualClock {
    /// For ids that only have to differ.
    static let shared = ManualClock()
}
