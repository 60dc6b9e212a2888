/// The engine behind a connection, for the few places where SQL differs.
package enum Dialect: String, Sendable, CaseIterable {
    case sqlite
    case mysql
}

/// What a driver's connection can do inside a transaction.
///
/// Synchronous: it is called on the connection's own thread.
package protocol DriverConnection: AnyObject {
    /// Runs a statement without a result and gives the number of rows it changed (matched, for an `UPDATE`).
    func execute(_ sql: SQL) throws -> Int

    /// Runs a statement and calls `body` for each row until it answers false.
    func query(_ sql: SQL, _ body: (Row) throws -> Bool) throws
}

/// The statements of one transaction.
///
/// Synchronous and not sendable: it cannot leave the closure it was given to, so no wait and no network call can
/// happen inside a transaction. Closures are repeatable: they may run again after a deadlock or a broken commit.
package final class Transaction {
    package let dialect: Dialect
    private let connection: any DriverConnection

    package init(dialect: Dialect, connection: any DriverConnection) {
        self.dialect = dialect
        self.connection = connection
    }

    /// Runs a statement and gives the number of rows it changed.
    @discardableResult
    package func execute(_ sql: SQL) throws -> Int {
        try connection.execute(sql)
    }

    /// Every row of a result.
    ///
    /// The statement itself must bound their number.
    package func all<T>(_ sql: SQL, _ read: (Row) throws -> T) throws -> [T] {
        var result: [T] = []
        try connection.query(sql) { row in
            result.append(try read(row))
            return true
        }
        return result
    }

    /// The first row of a result, if there is one.
    package func first<T>(_ sql: SQL, _ read: (Row) throws -> T) throws -> T? {
        var result: T?
        try connection.query(sql) { row in
            result = try read(row)
            return false
        }
        return result
    }

    /// Calls `body` for each row until it answers false; for results that are too large to collect.
    package func each(_ sql: SQL, _ body: (Row) throws -> Bool) throws {
        try connection.query(sql, body)
    }

    /// The single integer that a counting statement gives.
    package func count(_ sql: SQL) throws -> Int {
        try first(sql) { try $0.int(0) } ?? 0
    }
}

// MARK: - What the engines spell differently

/// Columns and their values, in the order they are written.
package typealias ColumnValues = KeyValuePairs<String, any SQLConvertible & Sendable>

extension Transaction {
    /// Inserts a row.
    package func insert(into table: String, _ values: ColumnValues) throws {
        try execute(SQLRendering.insert(into: table, values))
    }

    /// Inserts a row, or sets `set` on the row that has this key.
    ///
    /// Only for tables whose single unique key is `key`.
    package func upsert(into table: String, key: ColumnValues, set: ColumnValues) throws {
        try execute(SQLRendering.upsert(into: table, key: key, set: set, dialect: dialect))
    }

    /// Inserts a row unless its unique key exists already.
    ///
    /// On MySQL, everyone who met the row shares its lock until the transaction ends. Who writes to the row or locks it
    /// after that waits for the others while they wait in turn; `insertOrLock` is for that.
    ///
    /// - Returns: whether the row was inserted.
    package func insertIgnoringDuplicates(into table: String, _ values: ColumnValues) throws -> Bool {
        switch dialect {
        case .sqlite:
            return try execute(SQLRendering.insertOnConflictDoNothing(into: table, values)) > 0
        case .mysql:
            // `INSERT IGNORE` would turn wrong values into warnings, too, and the row count of `ON DUPLICATE KEY UPDATE`
            // tells nothing on a connection that counts matched rows. A duplicate undoes its own statement only.
            do {
                try execute(SQLRendering.insert(into: table, values))
                return true
            } catch DatabaseError.duplicate {
                return false
            }
        }
    }

    /// Inserts a row unless one with this key exists, and locks it, whoever made it, until the transaction ends.
    ///
    /// Only for tables whose single unique key is the column `key`.
    package func insertOrLock(into table: String, key: String, _ values: ColumnValues) throws {
        switch dialect {
        case .sqlite: try execute(SQLRendering.insertOnConflictDoNothing(into: table, values))
        case .mysql: try execute(SQLRendering.insertOrLock(into: table, key: key, values))
        }
    }

    /// Locks the rows that match until the transaction ends.
    ///
    /// On SQLite the writer is alone, so there is nothing to do.
    package func lock(_ table: String, where condition: SQL) throws {
        guard dialect == .mysql else { return }
        try each(SQLRendering.lock(table, where: condition)) { _ in true }
    }

    /// A condition: `column` holds `text` somewhere, compared byte by byte.
    package func contains(_ column: String, _ text: String) -> SQL {
        SQLRendering.contains(column, text)
    }
}
