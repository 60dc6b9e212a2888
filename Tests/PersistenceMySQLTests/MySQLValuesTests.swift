import Kernel
import Persistence
import PersistenceMySQL
import Testing

@Suite("Values on MySQL")
struct MySQLValuesTests {
    @Test("come back as they went", arguments: TestServer.allCases)
    func roundTrip(server: TestServer) async throws {
        let texts = ["", "plain", "é 漢 😀 \u{0}nul", "'\"\\`%_", String(repeating: "ü", count: 1024), "a "]
        let blobs: [[UInt8]] = [[], [0], Array(0...255), [0xff, 0xfe, 0x80], Array(repeating: 7, count: 1025)]
        let numbers: [Int64] = [0, -1, 1, .max, .min]
        try await withDriver(server) { driver in
            for text in texts {
                let back = try await driver.read { tx in try tx.first("SELECT \(text), 1", { try $0.text(0) }) }
                #expect(back == text)
            }
            for blob in blobs {
                let back = try await driver.read { tx in try tx.first("SELECT \(blob)", { try $0.bytes(0) }) }
                #expect(back == blob)
            }
            for number in numbers {
                let back = try await driver.read { tx in try tx.first("SELECT \(number)", { try $0.integer(0) }) }
                #expect(back == number)
            }
        }
    }

    @Test("are fetched whole where they are longer than the buffer of a column", arguments: TestServer.allCases)
    func longColumns(server: TestServer) async throws {
        let lengths = [1023, 1024, 1025, 65_535, 3_000_000]
        try await withDriver(server) { driver in
            try await driver.createItems()
            try await driver.write { tx in
                for (index, length) in lengths.enumerated() {
                    try tx.insert(
                        into: "items",
                        [
                            "id": index, "name": "n\(index)", "value": String(repeating: "x", count: length),
                            "data": [UInt8](repeating: UInt8(index), count: length),
                        ]
                    )
                }
            }

            let rows = try await driver.read { tx in
                try tx.all("SELECT value, id, data FROM items ORDER BY id") { row in
                    (try row.text(0), try row.int(1), try row.bytes(2))
                }
            }

            #expect(rows.map(\.0.utf8.count) == lengths)
            #expect(rows.map(\.1) == Array(lengths.indices))
            #expect(rows.enumerated().allSatisfy { index, row in row.2.allSatisfy { $0 == UInt8(index) } })
            #expect(rows.map(\.2.count) == lengths)
        }
    }

    @Test("tell NULL, wrong types and missing columns apart", arguments: TestServer.allCases)
    func wrongTypes(server: TestServer) async throws {
        try await withDriver(server) { driver in
            try await driver.read { tx in
                try tx.each("SELECT NULL, 1, 'a', CAST('b' AS BINARY), 18446744073709551615, 1.5") {
                    row throws -> Bool in
                    #expect(row.isNull(0) && !row.isNull(1))
                    #expect(throws: RowError.isNull(column: 0)) { try row.text(0) }
                    #expect(throws: RowError.wrongType(column: 1, expected: "text")) { try row.text(1) }
                    #expect(throws: RowError.wrongType(column: 2, expected: "integer")) { try row.integer(2) }
                    #expect(throws: RowError.wrongType(column: 3, expected: "text")) { try row.text(3) }
                    #expect(throws: RowError.wrongType(column: 4, expected: "integer")) { try row.integer(4) }
                    #expect(throws: RowError.wrongType(column: 5, expected: "integer")) { try row.integer(5) }
                    #expect(throws: RowError.wrongType(column: 6, expected: "a column")) { try row.integer(6) }
                    #expect(try row.bytes(2) == [UInt8(ascii: "a")])
                    return true
                }
            }
        }
    }

    @Test("of sums are integers although the server makes decimals of them", arguments: TestServer.allCases)
    func sums(server: TestServer) async throws {
        try await withDriver(server) { driver in
            try await driver.createItems()
            try await driver.write { tx in
                for id in [3, 4_000_000_000, 5] { try tx.insert(into: "items", ["id": id, "name": "n\(id)"]) }
            }

            let sum = try await driver.read { tx in try tx.count("SELECT SUM(id) FROM items") }
            let largest = try await driver.read { tx in try tx.count("SELECT MAX(id) FROM items") }
            let none = try await driver.read { tx in
                try tx.first("SELECT SUM(id) FROM items WHERE id < 0", { $0.isNull(0) })
            }

            #expect(sum == 4_000_000_008)
            #expect(largest == 4_000_000_000)
            #expect(none == true)
        }
    }

    @Test("change their type from one execution of a statement to the next", arguments: TestServer.allCases)
    func changingTypes(server: TestServer) async throws {
        try await withDriver(server) { driver in
            let values: [SQLValue] = [.integer(1), .text("a"), .null, .bytes([0xff]), .integer(2)]

            let back = try await driver.read { tx in
                try values.map { value in
                    try tx.first("SELECT \(value), 0") { row -> SQLValue in
                        if row.isNull(0) { return .null }
                        if let number = try? row.integer(0) { return .integer(number) }
                        if let text = try? row.text(0) { return .text(text) }
                        return .bytes(try row.bytes(0))
                    }
                }
            }

            #expect(back == values)
        }
    }

    @Test("that are larger than the server takes are refused before they are sent", arguments: TestServer.allCases)
    func largeValues(server: TestServer) async throws {
        try await withDriver(server) { driver in
            try await driver.createItems()
            let limit = try await driver.inspect().maximumPacket
            let fits = String(repeating: "x", count: limit - 4096)
            let tooLarge = String(repeating: "x", count: limit + 1)

            try await driver.write { tx in try tx.insert(into: "items", ["id": 1, "name": "a", "value": fits]) }
            let error = await failure(of: {
                try await driver.write { tx in
                    try tx.insert(into: "items", ["id": 2, "name": "b"])
                    try tx.insert(into: "items", ["id": 3, "name": "c", "value": tooLarge])
                }
            })

            #expect((error as? ServiceError)?.code == .tooLarge)
            #expect(try await driver.count() == 1)
            let length = try await driver.read { tx in
                try tx.first("SELECT value FROM items", { try $0.text(0).utf8.count })
            }
            #expect(length == limit - 4096)
            #expect(driver.connections == 1)
        }
    }
}
