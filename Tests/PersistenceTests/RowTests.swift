import Kernel
import Persistence
import Testing

@Suite("Rows")
struct RowTests {
    private enum Thing {}

    @Test("give columns as the types of stores")
    func types() throws {
        let id = "018cc251-f400-7000-8000-000000000001"
        let row = Row(FakeRow([.integer(-5), .integer(1), .text("x"), .bytes([9]), .text(id), .integer(1_000_000)]))

        #expect(try row.int(0) == -5 && row.integer(0) == -5)
        #expect(try row.bool(1))
        #expect(try row.text(2) == "x")
        #expect(try row.bytes(3) == [9])
        #expect(try row.id(4, of: Thing.self).description == id)
        #expect(try row.timestamp(5) == Timestamp(seconds: 1))
    }

    @Test("give nil for null where the store allows it, and an error elsewhere")
    func nulls() throws {
        let row = Row(FakeRow([.null, .text("x")]))

        #expect(try row.optional(0, Row.text) == nil)
        #expect(try row.optional(1, Row.text) == "x")
        #expect(throws: RowError.isNull(column: 0)) { try row.text(0) }
    }

    @Test("refuse text that is not an id")
    func ids() {
        let row = Row(FakeRow([.text("no")]))

        #expect(throws: RowError.notAnID(column: 0, text: "no")) { try row.id(0, of: Thing.self) }
    }
}

private struct FakeRow: RowSource {
    let values: [SQLValue]

    init(_ values: [SQLValue]) {
        self.values = values
    }

    var columnCount: Int { values.count }

    func isNull(_ column: Int) -> Bool { values[column] == .null }

    func integer(_ column: Int) throws -> Int64 {
        guard case .integer(let value) = values[column] else { throw RowError.isNull(column: column) }
        return value
    }

    func text(_ column: Int) throws -> String {
        guard case .text(let value) = values[column] else { throw RowError.isNull(column: column) }
        return value
    }

    func bytes(_ column: Int) throws -> [UInt8] {
        guard case .bytes(let value) = values[column] else { throw RowError.isNull(column: column) }
        return value
    }
}
