import Kernel
import Persistence
import Schema
import Server
import TestKit
import Testing

/// Rows for every table of the schema, with what engines read differently: any new table has some at once.
enum Samples {
    static let count = 150
    static let tables: [Table] = (try? Migration.tables(after: Schema.migrations)) ?? []

    /// Fills an empty database.
    static func fill(_ database: Database, count: Int = count) async throws {
        for table in tables {
            try await database.write { tx in
                for number in 0..<count {
                    let row = table.columns.map { value($0, of: table, number) }
                    try tx.execute(insert(row, into: table))
                }
            }
        }
    }

    static func insert(_ row: [SQLValue], into table: Table) -> SQL {
        let names = SQL.joined(table.columns.map { SQL(identifier: $0.name) }, by: ", ")
        let values = SQL.joined(row.map { "\($0)" }, by: ", ")
        return "INSERT INTO \(SQL(identifier: table.name)) (\(names)) VALUES (\(values))"
    }

    /// A row of a table, by its number, with some columns of its own.
    static func row(of name: String, _ number: Int, _ changes: [String: SQLValue]) -> SQL {
        let table = tables.first { $0.name == name } ?? tables[0]
        return insert(table.columns.map { changes[$0.name] ?? value($0, of: table, number) }, into: table)
    }

    // MARK: - Values

    /// The same for the same column and number, and another one for each number where it is part of a key.
    static func value(_ column: Column, of table: Table, _ number: Int) -> SQLValue {
        for key in table.foreignKeys {
            guard let index = key.columns.firstIndex(of: column.name),
                let other = tables.first(where: { $0.name == key.table }),
                let referenced = other.column(key.referencedColumns[index])
            else { continue }
            return value(referenced, of: other, number)
        }
        if column.isNullable, number % 3 == 0 { return .null }
        switch column.kind {
        case .id: return .text(id(of: table.name + column.name, number))
        case .name(let limit): return .text(fitted(names[number % names.count], number, limit))
        case .ascii(let limit): return .text(fitted(asciiNames[number % asciiNames.count], number, limit))
        case .text: return .text(texts[number % texts.count])
        case .bytes: return .bytes(blobs[number % blobs.count])
        case .binary(let limit): return .bytes(key(number, limit))
        case .bool: return .integer(Int64(number % 2))
        case .integer, .timestamp: return .integer(integers[number % integers.count])
        }
    }

    private static let integers: [Int64] = [0, 1, -1, .max, .min, 1_700_000_000_000_000]
    /// Each with a number behind the part in front of the bar.
    private static let names = [
        "name|", "NAME|", "näme|", "name|  ", "|", "  name|", "\u{1F600}|\u{10FFFF}", "nul\0|\0byte", "tab\t|\t",
        "e\u{301}|", "\u{E9}|", "%_\\'\"`|", "\u{FEFF}|",
    ]
    private static let asciiNames = ["code|", "CODE|", "code|  ", "|", "nul\0|", "'\"\\%_|", "\u{7F}|"]
    private static let texts = [
        "", " ", "text", "Text ", "\0", "a\0b", "null", "{\"a\": \"\u{1F600}\"}",
        String(repeating: "\u{10348}", count: 1000), String(repeating: "x", count: 70_000), "line\r\nline\n",
        "\\0\\n\\'", "'; DROP TABLE stacks; --",
    ]
    private static let blobs: [[UInt8]] = [
        [], [0], [0, 0, 0], [32], [65, 32, 32], Array(0...255), Array(repeating: 0xFF, count: 65_536),
        Array("text".utf8), [0xC3, 0x28],
    ]

    private static func id(of name: String, _ number: Int) -> String {
        let hash = name.utf8.reduce(UInt32(7)) { $0 &* 31 &+ UInt32($1) }
        return "\(hex(UInt64(hash), 8))-0000-7000-8000-\(hex(UInt64(number), 12))"
    }

    private static func hex(_ number: UInt64, _ digits: Int) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: digits - text.count) + text
    }

    private static func fitted(_ pattern: String, _ number: Int, _ limit: Int) -> String {
        let parts = pattern.split(separator: "|", omittingEmptySubsequences: false)
        let text = "\(parts[0])\(number)\(parts[1])"
        return text.unicodeScalars.count <= limit ? text : "\(number)"
    }

    private static func key(_ number: Int, _ limit: Int) -> [UInt8] {
        let ends: [[UInt8]] = [[], [0], [32], [0xFF, 0], Array(repeating: 0, count: limit - 2)]
        return [UInt8(number / 256), UInt8(number % 256)] + ends[number % ends.count]
    }

    // MARK: - What a database holds

    /// Every row of every table but what the move wrote itself, byte by byte.
    static func content(of database: Database) async throws -> [String: Set<[[UInt8]]>] {
        var content: [String: Set<[[UInt8]]>] = [:]
        for table in tables {
            let rows = try await database.read { tx in
                let names = SQL.joined(table.columns.map { SQL(identifier: $0.name) }, by: ", ")
                return try tx.all("SELECT \(names) FROM \(SQL(identifier: table.name))") { row in
                    try table.columns.indices.map { try bytes($0, table.columns[$0].kind, row) }
                }
            }
            let own = rows.filter { table.name != "server_values" || !$0[0].starts(with: Array("tmove.".utf8)) }
            content[table.name] = Set(own)
        }
        return content
    }

    private static func bytes(_ index: Int, _ kind: ColumnKind, _ row: Row) throws -> [UInt8] {
        guard !row.isNull(index) else { return [] }
        switch kind {
        case .id, .name, .ascii, .text: return [UInt8(ascii: "t")] + Array(try row.text(index).utf8)
        case .bytes, .binary: return [UInt8(ascii: "b")] + (try row.bytes(index))
        case .bool, .integer, .timestamp: return Array("i\(try row.integer(index))".utf8)
        }
    }
}

/// A way of a move that can be tested here.
struct MoveRoute: CustomTestStringConvertible {
    let source: Engine
    let target: Engine

    var testDescription: String { "\(source) to \(target)" }

    static let all = Engine.available.filter { $0 != .sqlite }.flatMap {
        [MoveRoute(source: .sqlite, target: $0), MoveRoute(source: $0, target: .sqlite)]
    }

    /// There and back on one kind of server, for what does not depend on which it is: a new schema for each test takes time.
    static let some = Array(all.prefix(2))

    /// Runs `body` with two databases that have the schema and no rows.
    func with(_ body: (TestStore, TestStore) async throws -> Void) async throws {
        try await withTestStore(source) { source in
            try await withTestStore(target) { target in try await body(source, target) }
        }
    }
}

extension DatabaseMove {
    /// A move between databases of tests.
    init(_ source: Database, _ target: Database) throws {
        try self.init(
            from: Place(source, name: "the source"),
            to: Place(target, name: "the target"),
            migrations: Schema.migrations,
            effects: ManualClock().effects
        )
    }

    static func cancel(_ source: Database, _ target: Database) async throws {
        try await cancel(
            Place(source, name: "the source"),
            migrations: Schema.migrations,
            effects: ManualClock().effects
        ) { Place(target, name: "the target") }
    }
}
