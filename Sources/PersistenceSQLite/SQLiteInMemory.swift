import CSQLite
package import Persistence

/// A database in memory whose transactions run on the thread of whoever asks, for simulations.
///
/// It has the driver's own connection, statements and errors; what it has not is what the driver adds: threads, queues,
/// deadlines and anything durable. Not sendable: one thread uses it.
package final class SQLiteInMemory {
    private let inner: Connection

    package init() throws(SQLiteOpenError) {
        inner = try SQLiteOpening(configuration: SQLiteConfiguration(path: ":memory:")).openInMemory()
    }

    /// The statements of the transaction that runs.
    package var connection: any DriverConnection { inner }

    /// For schema changes.
    package var migrationSession: any MigrationSession { SQLiteMigrationSession(inner) }

    /// - Throws: `DatabaseError`, as the other two.
    package func begin() throws {
        try translating { () throws(SQLiteFailure) in try inner.begin("BEGIN") }
    }

    package func commit() throws {
        try translating { () throws(SQLiteFailure) in try inner.commit() }
    }

    package func rollBack() {
        inner.rollBack()
    }

    /// Empties every table, as if the database had just been made.
    package func deleteAllRows() throws {
        try translating { () throws(SQLiteFailure) in
            try inner.control("PRAGMA foreign_keys = 0")
            for table in try inner.values("SELECT name FROM sqlite_schema WHERE type = 'table'") {
                try inner.control("DELETE FROM \(table)")
            }
            try inner.control("PRAGMA foreign_keys = 1")
        }
    }

    private func translating<Result>(_ body: () throws(SQLiteFailure) -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            throw inner.translate(error)
        }
    }
}

extension SQLiteOpening {
    /// A connection to a new database in memory, with the settings that change what statements do.
    fileprivate func openInMemory() throws(SQLiteOpenError) -> Connection {
        _ = Self.library
        var handle: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_MEMORY
        let code = sqlite3_open_v2(configuration.path, &handle, flags, nil)
        guard let handle else {
            throw .engine(path: configuration.path, code: Int(code), message: "out of memory")
        }
        let connection = Connection(handle: handle, role: .writer)
        do {
            for setting in ["foreign_keys = 1", "trusted_schema = 0", "cell_size_check = 1", "temp_store = 2"] {
                try connection.control("PRAGMA \(setting)")
            }
        } catch {
            throw .engine(path: configuration.path, code: Int(error.code), message: error.message)
        }
        return connection
    }
}
