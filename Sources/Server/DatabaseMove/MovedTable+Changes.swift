import Kernel
import Persistence

/// What the trace of a table tells.
extension MovedTable {
    /// Some changes, in their order, and what their rows are now.
    struct Changes: Sendable {
        var numbers: [Int64] = []
        /// By key; nil for a row that is not there any more.
        var rows: [[SQLValue]: [SQLValue]?] = [:]
    }

    /// The most changes that are taken at once.
    static let mostChanges = 500

    var trace: ChangeTrace { ChangeTrace(table) }

    /// The oldest changes, with the rows of the same snapshot.
    ///
    /// - Parameter name: what the table is called in this database.
    func changes(from name: String, in tx: Transaction) throws -> Changes {
        let entries = try tx.all(
            """
            SELECT \(keyList), \(number) FROM \(SQL(identifier: trace.name)) ORDER BY \(number) LIMIT \(Self.mostChanges)
            """
        ) { row in (key: try key(of: row), number: try row.integer(keyColumns.count)) }
        var changes = Changes()
        var bytes = 0
        for (key, number) in entries {
            guard bytes < Self.pageBytes else { break }
            changes.numbers.append(number)
            guard changes.rows[key] == nil, !isOfTheMove(key: key) else { continue }
            let row = try row(key, from: name, in: tx)
            changes.rows[key] = .some(row)
            bytes += row?.reduce(0) { $0 + $1.size } ?? 0
        }
        return changes
    }

    /// The keys of all rows that have changed.
    func changedKeys(in tx: Transaction) throws -> Set<[SQLValue]> {
        Set(try tx.all("SELECT DISTINCT \(keyList) FROM \(SQL(identifier: trace.name))") { try key(of: $0) })
    }

    /// Takes changes out of the trace.
    func drop(_ changes: Changes, in tx: Transaction) throws {
        try tx.execute("DELETE FROM \(SQL(identifier: trace.name)) WHERE \(number) IN \(list: changes.numbers)")
    }

    private var number: SQL { SQL(identifier: ChangeTrace.number) }

    private func key(of row: Row) throws -> [SQLValue] {
        try keyColumns.indices.map { try value($0, as: table.columns[keyColumns[$0]].kind, of: row) }
    }
}
