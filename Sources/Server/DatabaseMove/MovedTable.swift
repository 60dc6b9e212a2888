import Kernel
import Persistence

/// Rows of a table as they are read and written by a move, whatever the table is.
struct MovedTable: Sendable {
    /// Some rows that follow each other.
    struct Page: Sendable {
        var rows = 0
        /// Of the values.
        var bytes = 0
        /// The key of the last row; nil before the first one.
        var last: [SQLValue]?
        var isEnd = false

        /// How many rows of this size are about as large as a page should be.
        var nextLimit: Int {
            guard rows > 0 else { return MovedTable.firstLimit }
            return min(max(MovedTable.pageBytes * rows / max(bytes, 1), 1), MovedTable.lastLimit)
        }
    }

    /// A page ends with the row that makes it this large: memory and the time of a transaction are bounded by that and
    /// by the largest row.
    static let pageBytes = 4 << 20
    static let firstLimit = 100
    /// The most rows of a page, however small they are.
    static let lastLimit = 4000

    let table: Table
    private let columns: SQL
    private let keyNames: [SQL]
    private let keyColumns: [Int]

    init(_ table: Table) {
        self.table = table
        columns = .joined(table.columns.map { SQL(identifier: $0.name) }, by: ", ")
        keyNames = table.primaryKey.map { SQL(identifier: $0) }
        keyColumns = table.primaryKey.compactMap { name in table.columns.firstIndex { $0.name == name } }
    }

    // MARK: - Reading

    /// Reads the rows behind a key, in the order of the primary key as this engine has it.
    ///
    /// - Parameters:
    ///   - name: what the table is called in this database.
    ///   - limit: the most rows that are read; fewer where they are large.
    ///   - take: gets the values of each row and the sum of their bytes.
    func read(
        from name: String,
        after last: [SQLValue]?,
        limit: Int,
        in tx: Transaction,
        take: ([SQLValue], Int) throws -> Void
    ) throws -> Page {
        var sql: SQL = "SELECT \(columns) FROM \(SQL(identifier: name))"
        if let last { sql += " WHERE \(condition(after: last, tx.dialect))" }
        sql += " ORDER BY \(SQL.joined(keyNames, by: ", ")) LIMIT \(limit)"
        var page = Page(last: last)
        var found = 0
        try tx.each(sql) { row in
            let values = try table.columns.indices.map { try value($0, of: row) }
            found += 1
            page.last = keyColumns.map { values[$0] }
            guard !isOfTheMove(values) else { return true }
            let size = values.reduce(0) { $0 + $1.size }
            page.rows += 1
            page.bytes += size
            try take(values, size)
            return page.bytes < Self.pageBytes
        }
        page.isEnd = found < limit && page.bytes < Self.pageBytes
        return page
    }

    private func value(_ index: Int, of row: Row) throws -> SQLValue {
        guard !row.isNull(index) else { return .null }
        switch table.columns[index].kind {
        case .id, .name, .ascii, .text: return .text(try row.text(index))
        case .bytes, .binary: return .bytes(try row.bytes(index))
        case .bool, .integer, .timestamp: return .integer(try row.integer(index))
        }
    }

    /// What the move wrote itself stays where it is.
    private func isOfTheMove(_ values: [SQLValue]) -> Bool {
        guard table.name == MoveMark.table, case .text(let name) = values[keyColumns[0]] else { return false }
        return name.hasPrefix(MoveMark.prefix)
    }

    /// MySQL finds no range of an index in a comparison of tuples, SQLite none in the form with OR.
    private func condition(after last: [SQLValue], _ dialect: Dialect) -> SQL {
        guard dialect == .mysql else {
            let values = SQL.joined(last.map { "\($0)" }, by: ", ")
            return "(\(SQL.joined(keyNames, by: ", "))) > (\(values))"
        }
        let cases = last.indices.map { index -> SQL in
            var parts = (0..<index).map { other -> SQL in "\(keyNames[other]) = \(last[other])" }
            parts.append("\(keyNames[index]) > \(last[index])")
            return "(\(SQL.joined(parts, by: " AND ")))"
        }
        return .joined(cases, by: " OR ")
    }

    // MARK: - Writing

    /// Rows of one statement, and the bytes from which on each has one of its own.
    private static let (groupRows, groupBytes) = (32, 1 << 20)

    /// Inserts rows, several with one statement.
    ///
    /// - Throws: which row the database does not take, and why.
    func insert(_ rows: [[SQLValue]], in tx: Transaction) throws {
        var rest = rows[...]
        while !rest.isEmpty {
            let group = rest.prefix(Self.groupRows)
            rest = rest.dropFirst(group.count)
            let size = group.reduce(0) { $0 + $1.reduce(0) { $0 + $1.size } }
            // Two forms of the statement are enough, so that both stay prepared.
            if group.count == Self.groupRows, size <= Self.groupBytes, try takes(group, in: tx) { continue }
            for row in group {
                do {
                    try tx.execute(statement([row]))
                } catch {
                    throw refusal(of: row, error)
                }
            }
        }
    }

    /// False where a row of the group is refused: which one, the next attempt with each alone tells.
    private func takes(_ group: ArraySlice<[SQLValue]>, in tx: Transaction) throws -> Bool {
        do {
            try tx.execute(statement(group))
            return true
        } catch DatabaseError.duplicate, DatabaseError.statement {
            return false
        }
    }

    private func statement(_ rows: ArraySlice<[SQLValue]>) -> SQL {
        let rows = rows.map { row -> SQL in "(\(SQL.joined(row.map { "\($0)" }, by: ", ")))" }
        return "INSERT INTO \(SQL(identifier: table.name)) (\(columns)) VALUES \(SQL.joined(rows, by: ", "))"
    }

    private func refusal(of row: [SQLValue], _ error: any Error) -> any Error {
        let key = keyColumns.map { row[$0].described }.joined(separator: ", ")
        let place = "the row (\(key)) of \(table.name)"
        switch error {
        case DatabaseError.duplicate(let name):
            let text = "the target does not take \(place): to it another row has the same \(name)."
            return ServiceError(.conflict, text, cause: error)
        case DatabaseError.statement(_, let message, _):
            return ServiceError(.unprocessable, "the target does not take \(place): \(message)", cause: error)
        case let error as ServiceError where error.code == .tooLarge:
            let text = "the target does not take \(place): \(error.message) Raise max_allowed_packet of the server."
            return ServiceError(.tooLarge, text, cause: error)
        default:
            return error
        }
    }
}

extension SQLValue {
    /// Bytes of the value itself.
    var size: Int {
        switch self {
        case .null: 0
        case .integer: 8
        case .text(let text): text.utf8.count
        case .bytes(let bytes): bytes.count
        }
    }
}
