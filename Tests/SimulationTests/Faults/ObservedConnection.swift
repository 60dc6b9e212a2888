import Persistence

/// One statement that changed rows.
struct Change: Sendable {
    enum Verb: Sendable {
        case insert, update, delete
    }

    var verb: Verb
    var table: String
    /// Objects that the statement's parameters name.
    var objects: [String]
}

/// A connection that remembers what was changed through it, and lies where a rule is broken on purpose.
final class ObservedConnection: DriverConnection {
    private let inner: any DriverConnection
    private let mutation: Mutation?
    /// What the transaction that runs has changed so far.
    var changes: [Change] = []
    /// Rows as they were, by the statement that read them.
    private var remembered: [SQL: RememberedRow] = [:]

    init(_ inner: any DriverConnection, mutation: Mutation?) {
        self.inner = inner
        self.mutation = mutation
    }

    func execute(_ sql: SQL) throws -> Int {
        let count = try inner.execute(sql)
        if count > 0, let change = Self.change(sql) { changes.append(change) }
        return count
    }

    func query(_ sql: SQL, _ body: (Row) throws -> Bool) throws {
        switch mutation {
        case .numbersForgotten where sql.text.contains("last_sequence >="):
            return
        case .leaseFromMemory where sql.text.hasSuffix("FROM updates WHERE id = ? AND stack_id = ?"):
            try queryFromMemory(sql, body)
        case .holderUnseen where sql.text.contains("s.running_update_id") && sql.text.contains("o.name = ?"):
            try inner.query(sql) { row in
                let copy = try RememberedRow(row, count: 19, nulls: [8])
                return try body(Row(copy))
            }
        default:
            try inner.query(sql, body)
        }
    }

    /// A running update is remembered as running.
    private func queryFromMemory(_ sql: SQL, _ body: (Row) throws -> Bool) throws {
        if let row = remembered[sql] {
            _ = try body(Row(row))
            return
        }
        var found: RememberedRow?
        try inner.query(sql) { row in
            found = try RememberedRow(row, count: 23, nulls: [])
            return false
        }
        guard let found else { return }
        if try found.text(4) == "running" { remembered[sql] = found }
        _ = try body(Row(found))
    }

    private static func change(_ sql: SQL) -> Change? {
        let words = sql.text.split(maxSplits: 4, omittingEmptySubsequences: true) { $0 == " " || $0 == "\n" }
        guard words.count > 2 else { return nil }
        switch words[0] {
        case "INSERT":
            let objects = sql.parameters.compactMap { value -> String? in
                if case .text(let text) = value, text.hasPrefix("state/") { text } else { nil }
            }
            return Change(verb: .insert, table: String(words[2]), objects: objects)
        case "UPDATE": return Change(verb: .update, table: String(words[1]), objects: [])
        case "DELETE": return Change(verb: .delete, table: String(words[2]), objects: [])
        default: return nil
        }
    }
}

/// A copy of a row.
struct RememberedRow: RowSource {
    private enum Value {
        case null, integer(Int64), text(String), bytes([UInt8])
    }

    private let values: [Value]

    /// - Parameter nulls: columns that are forgotten.
    init(_ row: Row, count: Int, nulls: Set<Int>) throws {
        values = (0..<count).map { column in
            if nulls.contains(column) || row.isNull(column) { return .null }
            if let number = try? row.integer(column) { return .integer(number) }
            if let text = try? row.text(column) { return .text(text) }
            return (try? row.bytes(column)).map { .bytes($0) } ?? .null
        }
    }

    var columnCount: Int { values.count }

    func isNull(_ column: Int) -> Bool {
        if case .null = values[column] { true } else { false }
    }

    func integer(_ column: Int) throws -> Int64 {
        guard case .integer(let number) = values[column] else {
            throw RowError.wrongType(column: column, expected: "integer")
        }
        return number
    }

    func text(_ column: Int) throws -> String {
        guard case .text(let text) = values[column] else {
            throw RowError.wrongType(column: column, expected: "text")
        }
        return text
    }

    func bytes(_ column: Int) throws -> [UInt8] {
        switch values[column] {
        case .bytes(let bytes): return bytes
        case .text(let text): return Array(text.utf8)
        default: throw RowError.wrongType(column: column, expected: "bytes")
        }
    }
}
