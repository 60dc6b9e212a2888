import Kernel
import Persistence
import Testing

extension DriverConformance {
    static let valueRules = [
        Rule("every kind of value comes back as it was written", roundTrip),
        Rule("integers keep all 64 bits", integers),
        Rule("text keeps every character, and empty is not null", texts),
        Rule("bytes keep every value, and empty is not null", bytes),
        Rule("large values come back whole", largeValues),
        Rule("text can be read as its UTF-8", textAsBytes),
        Rule("names are compared and ordered byte by byte", names),
        Rule("a column that holds something else is an error", wrongTypes),
        Rule("a value that is too long or missing is refused, not changed", refusedValues),
    ]

    private static let clock = ManualClock()

    private static func roundTrip(_ store: TestStore) async throws {
        let id = clock.effects.id(Sample.self)
        let time = Timestamp(microseconds: 1_795_612_218_000_250)
        try await store.database.write { tx in
            try tx.insert(
                into: "samples",
                [
                    "id": id, "name": "Zoë", "code": "c-1", "body": "text", "raw": [1, 2, 3] as [UInt8],
                    "digest": [UInt8](repeating: 0, count: 32), "is_on": true, "number": -7, "made_at": time,
                ]
            )
            try tx.insert(into: "samples", ["id": clock.effects.id(Sample.self), "is_on": false])
        }

        let isSame = try await store.database.read { tx in
            try tx.first(
                """
                SELECT id, name, code, body, raw, digest, is_on, number, made_at FROM samples WHERE id = \(id)
                """
            ) { row in
                try row.id(0, of: Sample.self) == id && row.text(1) == "Zoë" && row.text(2) == "c-1"
                    && row.text(3) == "text" && row.bytes(4) == [1, 2, 3]
                    && row.bytes(5) == [UInt8](repeating: 0, count: 32) && row.bool(6) && row.int(7) == -7
                    && row.timestamp(8) == time
            }
        }
        let nulls = try await store.database.read { tx in
            try tx.first(
                "SELECT name, code, body, raw, digest, number, made_at, is_on FROM samples WHERE id <> \(id)"
            ) { row in
                (0..<7).map { row.isNull($0) } + [row.isNull(7), try row.bool(7)]
            }
        }

        #expect(isSame == true)
        #expect(nulls == Array(repeating: true, count: 7) + [false, false])
    }

    private static func integers(_ store: TestStore) async throws {
        let numbers: [Int64] = [
            .min, .min + 1, -(1 << 53) - 1, -1, 0, 1, 1 << 31, 1 << 32, (1 << 53) + 1, .max - 1, .max,
        ]

        let found = try await write(numbers, column: "number", store) { try $0.integer(0) }

        #expect(found == numbers)
    }

    private static func texts(_ store: TestStore) async throws {
        let texts = [
            "", " ", " space around ", "\u{0}", "a\u{0}b\u{0}", "O'Brien \"\\\" % _ ; -- /* */ ?", "\r\n\t\u{1}\u{7F}",
            "é e\u{301}", "漢字", "👩‍👩‍👧‍👦🏳️‍🌈", "\u{FEFF}mark", "\u{FFFF}\u{10FFFF}", String(repeating: "ü", count: 70_000),
        ]

        let found = try await write(texts, column: "body", store) { try $0.text(0) }

        #expect(found.map { Array($0.utf8) } == texts.map { Array($0.utf8) })
    }

    private static func bytes(_ store: TestStore) async throws {
        let all = (0...255).map { UInt8($0) }
        let values: [[UInt8]] = [
            [], [0], [0, 0], all, Array(repeating: 0xFF, count: 4096), Array(repeating: 0, count: 4097),
        ]

        let found = try await write(values, column: "raw", store) { try $0.bytes(0) }

        #expect(found == values)
    }

    /// Writes each value to a row of its own and reads them back in that order.
    private static func write<Value: SQLConvertible & Sendable>(
        _ values: [Value],
        column: String,
        _ store: TestStore,
        _ read: @escaping @Sendable (Row) throws -> Value
    ) async throws -> [Value] {
        let ids = values.map { _ in clock.effects.id(Sample.self) }
        try await store.database.write { tx in
            for (id, value) in zip(ids, values) {
                let name = SQL(identifier: column)
                try tx.execute("INSERT INTO samples (id, \(name)) VALUES (\(id), \(value))")
            }
        }
        return try await store.database.read { tx in
            try ids.compactMap { id in
                try tx.first("SELECT \(SQL(identifier: column)) FROM samples WHERE id = \(id)", read)
            }
        }
    }

    /// Larger ones than a server takes in one packet are refused before they are sent.
    private static func largeValues(_ store: TestStore) async throws {
        for size in [1 << 16, 1 << 20, 15 << 20] {
            let value = pattern(size)
            let text = String(repeating: "0123456789abcdé", count: size / 16)

            let found = try await write([value], column: "raw", store) { try $0.bytes(0) }
            let foundText = try await write([text], column: "body", store) { try $0.text(0) }

            #expect(found == [value], "\(size) bytes")
            #expect(foundText == [text], "\(size) bytes of text")
        }
        do {
            let value = pattern(20 << 20)
            let found = try await write([value], column: "raw", store) { try $0.bytes(0) }
            #expect(found == [value])
        } catch let error as ServiceError {
            #expect(error.code == .tooLarge && store.engine != .sqlite)
        }
    }

    /// Bytes that repeat after a prime number of them, so that no two blocks of a driver's are alike.
    ///
    /// Copied and not computed one by one: tests of two engines would do that on every thread there is for seconds, while
    /// others wait for a transaction whose time runs out.
    private static func pattern(_ size: Int) -> [UInt8] {
        let piece = (0..<65_521).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        while bytes.count < size { bytes.append(contentsOf: piece.prefix(size - bytes.count)) }
        return bytes
    }

    private static func textAsBytes(_ store: TestStore) async throws {
        let text = "{\"key\": \"välue\"}"

        let found = try await write([text], column: "body", store) { row in
            String(decoding: try row.bytes(0), as: UTF8.self)
        }

        #expect(found == [text])
    }

    private static func names(_ store: TestStore) async throws {
        let names = [
            "A", "a", "ä", "Ä", "a\u{308}", "á", "ａ", "b", "B", "ß", "ss", "i", "ı", "I", "İ", "🙂", "漢", "\u{1}", "%",
            "_", "\\",
            "'", "\"", "a b", "a-b", "-", "0",
        ]
        let written = try await write(names, column: "name", store) { try $0.text(0) }

        let (sorted, single) = try await store.database.read { tx in
            let sorted = try tx.all("SELECT name FROM samples WHERE name IS NOT NULL ORDER BY name") { try $0.text(0) }
            let single = try names.allSatisfy { name in
                try tx.all("SELECT name FROM samples WHERE name = \(name)") { Array(try $0.text(0).utf8) }
                    == [Array(name.utf8)]
            }
            return (sorted, single)
        }

        #expect(written.map { Array($0.utf8) } == names.map { Array($0.utf8) })
        #expect(single)
        let expected = names.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
        #expect(sorted.map { Array($0.utf8) } == expected)
    }

    private static func wrongTypes(_ store: TestStore) async throws {
        try await store.database.write { tx in
            try tx.insert(into: "samples", ["id": clock.effects.id(Sample.self), "name": "word"])
        }

        let errors = try await store.database.read { tx in
            let reads: [(Row) throws -> Void] = [
                { _ = try $0.integer(0) }, { _ = try $0.integer(1) }, { _ = try $0.text(1) }, { _ = try $0.bytes(1) },
                { _ = try $0.text(2) }, { _ = try $0.text(3) }, { _ = try $0.integer(-1) },
                { _ = try $0.id(0, of: Sample.self) },
            ]
            return try tx.first("SELECT name, number, is_on FROM samples") { row in
                reads.map { read in
                    do {
                        try read(row)
                        return "no error"
                    } catch RowError.isNull {
                        return "null"
                    } catch RowError.wrongType {
                        return "type"
                    } catch RowError.notAnID {
                        return "id"
                    } catch {
                        return "\(error)"
                    }
                }
            }
        }

        #expect(errors == ["type", "null", "null", "null", "type", "type", "type", "id"])
    }

    private static func refusedValues(_ store: TestStore) async throws {
        let id = clock.effects.id(Sample.self)
        let bodies: [@Sendable (Transaction) throws -> Void] = [
            { try $0.insert(into: "samples", ["id": id, "name": String(repeating: "n", count: 101)]) },
            { try $0.insert(into: "samples", ["id": id, "code": String(repeating: "c", count: 21)]) },
            { try $0.insert(into: "samples", ["id": id, "digest": [UInt8](repeating: 1, count: 33)]) },
            { try $0.insert(into: "samples", ["id": String?.none, "name": "no id"]) },
            { try $0.insert(into: "samples", ["id": id, "number": "not a number"]) },
            { try $0.insert(into: "counters", ["id": 1]) },
            { try $0.insert(into: "parts", ["id": 1, "counter_id": 99]) },
            { _ = try $0.insertIgnoringDuplicates(into: "parts", ["id": 1, "counter_id": 99]) },
            { _ = try $0.insertIgnoringDuplicates(into: "counters", ["id": 1, "value": Int?.none]) },
        ]
        for (index, body) in bodies.enumerated() {
            let error = await databaseError { try await store.driver.write(body) }
            guard case .statement = error else {
                Issue.record("statement \(index) was not refused: \(String(describing: error))")
                continue
            }
        }

        let longest = String(repeating: "é", count: 100)
        let found = try await write([longest], column: "name", store) { try $0.text(0) }
        let rows = try await store.database.read { tx in
            [try tx.count("SELECT COUNT(*) FROM samples"), try tx.count("SELECT COUNT(*) FROM parts")]
        }

        #expect(found == [longest])
        #expect(rows == [1, 0])
    }
}
