import Kernel
import Persistence
import Testing

extension DriverConformance {
    static let statementRules = [
        Rule("execute counts the rows that matched", counts),
        Rule("first and each stop where they are told to", earlyEnd),
        Rule("large results stream", streaming),
        Rule("any number of statement texts works", manyTexts),
        Rule("a statement that is wrong is refused, and the next one runs", wrongStatements),
        Rule("a statement inside another one's rows is refused", nestedStatements),
        Rule("lists bind every element, and an empty one matches nothing", lists),
        Rule("contains looks for bytes, not for patterns", contains),
        Rule("pages continue behind their last row, in mixed directions", paging),
    ]

    private static func counts(_ store: TestStore) async throws {
        let counts = try await store.database.write { tx in
            [
                try tx.execute("INSERT INTO counters (id, value) VALUES (1, 5), (2, 5), (3, 6)"),
                try tx.execute("UPDATE counters SET value = 5 WHERE value = 5"),
                try tx.execute("UPDATE counters SET value = 7 WHERE id = 3"),
                try tx.execute("UPDATE counters SET value = 7 WHERE id = 4"),
                try tx.execute("DELETE FROM counters WHERE value = 5"),
                try tx.execute("DELETE FROM counters WHERE value = 5"),
                try tx.count("SELECT COUNT(*) FROM counters"),
                try tx.count("SELECT value FROM counters WHERE id = 99"),
            ]
        }

        #expect(counts == [3, 2, 1, 0, 2, 0, 1, 0])
    }

    private static func earlyEnd(_ store: TestStore) async throws {
        try await insertCounters(1...100, store)

        let (first, seen, none, after) = try await store.database.read { tx in
            let first = try tx.first("SELECT id FROM counters ORDER BY id") { try $0.int(0) }
            var seen: [Int] = []
            try tx.each("SELECT id FROM counters ORDER BY id") { row in
                seen.append(try row.int(0))
                return seen.count < 3
            }
            let none = try tx.first("SELECT id FROM counters WHERE id = 0") { try $0.int(0) }
            do {
                try tx.each("SELECT id FROM counters") { _ in throw Planned() }
            } catch is Planned {}
            return (first, seen, none, try tx.count("SELECT COUNT(*) FROM counters"))
        }

        #expect(first == 1)
        #expect(seen == [1, 2, 3])
        #expect(none == nil)
        #expect(after == 100)
    }

    private static func streaming(_ store: TestStore) async throws {
        try await insertCounters(0..<300, store)

        let (count, sum) = try await store.database.read { tx in
            var count = 0
            var sum = 0
            try tx.each("SELECT a.id, b.id, a.value FROM counters a CROSS JOIN counters b") { row in
                count += 1
                sum += try row.int(0) + row.int(1)
                return true
            }
            return (count, sum)
        }

        #expect(count == 90_000)
        #expect(sum == 2 * 300 * (299 * 300 / 2))
    }

    private static func manyTexts(_ store: TestStore) async throws {
        for round in 0..<2 {
            let found = try await store.database.write { tx in
                try (0..<400).map { number in
                    let name = SQL(identifier: "c\(number)")
                    return try tx.first("SELECT \(number + round) AS \(name)") { try $0.int(0) }
                }
            }

            #expect(found == (0..<400).map { $0 + round })
        }
    }

    private static func wrongStatements(_ store: TestStore) async throws {
        let statements: [SQL] = [
            "SELEC 1", "SELECT * FROM nowhere", "SELECT missing FROM counters", "", "SELECT 1; SELECT 2",
            "INSERT INTO counters (id, value) VALUES (1, 1); INSERT INTO counters (id, value) VALUES (2, 2)",
            "SELECT id FROM counters WHERE id = ?",
        ]
        for sql in statements {
            let error = await databaseError { try await store.driver.write { tx in _ = try tx.execute(sql) } }
            guard case .statement(_, _, let text) = error else {
                Issue.record("\(sql.text) was not refused: \(String(describing: error))")
                continue
            }
            #expect(text == sql.text)
        }

        let count = try await store.database.write { tx in
            do {
                try tx.execute("UPDATE nowhere SET value = 1")
            } catch DatabaseError.statement {}
            try tx.insert(into: "counters", ["id": 7, "value": 0])
            return try tx.count("SELECT COUNT(*) FROM counters")
        }

        #expect(count == 1)
    }

    private static func nestedStatements(_ store: TestStore) async throws {
        try await insertCounters(1...3, store)

        let error = await databaseError {
            try await store.driver.read { tx in
                try tx.each("SELECT id FROM counters") { _ in
                    _ = try tx.count("SELECT COUNT(*) FROM counters")
                    return true
                }
            }
        }
        let count = try await store.database.read { try $0.count("SELECT COUNT(*) FROM counters") }

        guard case .statement = error else {
            Issue.record("was not refused: \(String(describing: error))")
            return
        }
        #expect(count == 3)
    }

    private static func lists(_ store: TestStore) async throws {
        try await insertCounters(1...5, store)

        let found = try await store.database.read { tx in
            let lists: [[Int]] = [[], [2], [5, 1, 9, 1]]
            return try lists.map { list in
                try tx.all("SELECT id FROM counters WHERE id IN \(list: list) ORDER BY id") { try $0.int(0) }
            }
        }

        #expect(found == [[], [2], [1, 5]])
    }

    private static func contains(_ store: TestStore) async throws {
        let texts = ["100% sure", "under_score", "Müller", "müller", "a\\b", "it's", "", "🙂🙃"]
        let ids = texts.map { _ in ManualClock.shared.effects.id(Sample.self) }
        try await store.database.write { tx in
            for (id, text) in zip(ids, texts) { try tx.insert(into: "samples", ["id": id, "body": text]) }
        }

        let found = try await store.database.read { tx in
            let needles = ["%", "_", "Mü", "mü", "U", "\\", "'", "", "🙃", "100% sure!"]
            return try needles.map { needle in
                let condition = tx.contains("body", needle)
                return try tx.all("SELECT body FROM samples WHERE \(condition)") { try $0.text(0) }.sorted()
            }
        }

        let expected = [
            ["100% sure"], ["under_score"], ["Müller"], ["müller"], [], ["a\\b"], ["it's"], texts, ["🙂🙃"], [],
        ]
        #expect(found == expected.map { $0.sorted() })
    }

    private static func paging(_ store: TestStore) async throws {
        let rows = (0..<20).map { (id: $0, value: $0 % 4) }
        try await store.database.write { tx in
            for row in rows { try tx.insert(into: "counters", ["id": row.id, "value": row.value]) }
        }

        let found = try await store.database.read { tx in
            var found: [Int] = []
            var continuation: SQL = ""
            while true {
                let page = try tx.all(
                    "SELECT id, value FROM counters \(continuation) ORDER BY value DESC, id LIMIT \(3)"
                ) { (id: try $0.int(0), value: try $0.int(1)) }
                guard let last = page.last else { return found }
                found += page.map(\.id)
                continuation =
                    "WHERE value < \(last.value) OR (value = \(last.value) AND id > \(last.id))"
            }
        }

        #expect(found == rows.sorted { ($1.value, $0.id) < ($0.value, $1.id) }.map(\.id))
    }
}
