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
    /// Where the columns of the key are among all.
    let keyColumns: [Int]

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
        sql += " ORDER BY \(keyList) LIMIT \(limit)"
        var page = Page(last: last)
        var found = 0
        try tx.each(sql) { row in
            let values = try values(of: row)
            found += 1
            let key = key(of: values)
            page.last = key
            guard !isOfTheMove(key: key) else { return true }
            let size = values.reduce(0) { $0 + $1.size }
            page.rows += 1
            page.bytes += size
            try take(values, size)
            return page.bytes < Self.pageBytes
        }
        page.isEnd = found < limit && page.bytes < Self.pageBytes
        return page
    }

    /// The row with a key; nil where there is none.
    func row(_ key: [SQLValue], from name: String, in tx: Transaction) throws -> [SQLValue]? {
        try rows([key], from: name, in: tx)[key]
    }

    /// The rows with these keys, as far as they are there, several with one statement.
    func rows(
        _ keys: some Collection<[SQLValue]>,
        from name: String,
        in tx: Transaction
    ) throws -> [[SQLValue]: [SQLValue]] {
        var found: [[SQLValue]: [SQLValue]] = [:]
        var rest = Array(keys)[...]
        while !rest.isEmpty {
            // Two forms of the statement, as for `insert`.
            let group = rest.prefix(rest.count >= Self.groupRows ? Self.groupRows : 1)
            rest = rest.dropFirst(group.count)
            let conditions = SQL.joined(group.map { "(\(condition($0)))" }, by: " OR ")
            try tx.each("SELECT \(columns) FROM \(SQL(identifier: name)) WHERE \(conditions)") { row in
                let values = try values(of: row)
                // MySQL finds those with another number of spaces at the end, too.
                found[key(of: values)] = values
                return true
            }
        }
        return found
    }

    func key(of row: [SQLValue]) -> [SQLValue] {
        keyColumns.map { row[$0] }
    }

    var keyList: SQL { .joined(keyNames, by: ", ") }

    private func values(of row: Row) throws -> [SQLValue] {
        try table.columns.indices.map { try value($0, as: table.columns[$0].kind, of: row) }
    }

    func value(_ index: Int, as kind: ColumnKind, of row: Row) throws -> SQLValue {
        guard !row.isNull(index) else { return .null }
        switch kind {
        case .id, .name, .ascii, .text: return .text(try row.text(index))
        case .bytes, .binary: return .bytes(try row.bytes(index))
        case .bool, .integer, .timestamp: return .integer(try row.integer(index))
        }
    }

    /// What the move wrote itself stays where it is.
    func isOfTheMove(key: [SQLValue]) -> Bool {
        guard table.name == MoveMark.table, case .text(let name) = key[0] else { return false }
        return name.hasPrefix(MoveMark.prefix)
    }

    /// MySQL finds no range of an index in a comparison of tuples, SQLite none in the form with OR.
    private func condition(after last: [SQLValue], _ dialect: Dialect) -> SQL {
        guard dialect == .mysql else {
            let values = SQL.joined(last.map { "\($0)" }, by: ", ")
            return "(\(keyList)) > (\(values))"
        }
        let cases = last.indices.map { index -> SQL in
            var parts = (0..<index).map { other -> SQL in "\(keyNames[other]) = \(last[other])" }
            parts.append("\(keyNames[index]) > \(last[index])")
            return "(\(SQL.joined(parts, by: " AND ")))"
        }
        return .joined(cases, by: " OR ")
    }

    private func condition(_ key: [SQLValue]) -> SQL {
        .joined(zip(keyNames, key).map { "\($0) = \($1)" }, by: " AND ")
    }

    // MARK: - Writing

    /// Rows of one statement, and the bytes from which on each has one of its own.
    private static let (groupRows, groupBytes) = (32, 1 << 20)

    /// Inserts rows, several with one statement.
    ///
    /// - Parameter isReplacing: whether a row takes the place of all that share a unique key with it. Of a source that
    ///   changes these are what other rows were before, which come again with their changes.
    /// - Throws: which row the database does not take, and why.
    func insert(_ rows: [[SQLValue]], isReplacing: Bool, in tx: Transaction) throws {
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
                } catch DatabaseError.duplicate where isReplacing {
                    try tx.execute(statement([row], verb: "REPLACE"))
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

    /// Removes the row with a key, if it is there.
    func delete(_ key: [SQLValue], in tx: Transaction) throws {
        try tx.execute("DELETE FROM \(SQL(identifier: table.name)) WHERE \(condition(key))")
    }

    private func statement(_ rows: ArraySlice<[SQLValue]>, verb: SQL = "INSERT") -> SQL {
        let rows = rows.map { row -> SQL in "(\(SQL.joined(row.map { "\($0)" }, by: ", ")))" }
        return "\(verb) INTO \(SQL(identifier: table.name)) (\(columns)) VALUES \(SQL.joined(rows, by: ", "))"
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
