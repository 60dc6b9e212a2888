import Kernel
package import Persistence
import PersistenceMySQL
import PersistenceSQLite
import Schema
package import Telemetry

/// Opens the configured database and brings its schema up to date.
package struct Databases: Sendable {
    package let database: Database
    package let name: String

    /// - Throws: errors whose description is one line for the operator.
    package static func open(_ configuration: DatabaseConfiguration) async throws -> Databases {
        switch configuration.engine {
        case .sqlite(let path):
            return try await open(SQLiteConfiguration(path: path))
        case .mysql(let mysql):
            let driver = try MySQLDriver(mysql)
            _ = try await driver.inspect()
            return Databases(database: Database(driver: driver), name: name(of: configuration))
        }
    }

    /// What messages call the database.
    package static func name(of configuration: DatabaseConfiguration) -> String {
        switch configuration.engine {
        case .sqlite(let path): "SQLite \(path)"
        case .mysql(let mysql): "MySQL \(mysql.endpoint)"
        }
    }

    /// The same, told from other databases of one server.
    package static func place(of configuration: DatabaseConfiguration) -> String {
        guard case .mysql(let mysql) = configuration.engine else { return name(of: configuration) }
        return "\(name(of: configuration)), database \(mysql.database)"
    }

    /// Opens the database to look at it, beside a server that may use it; nil when there is none yet.
    ///
    /// It makes no file that stays.
    package static func look(at configuration: DatabaseConfiguration) async throws -> Databases? {
        guard case .sqlite(let path) = configuration.engine else { return try await open(configuration) }
        let sqlite = SQLiteConfiguration(path: path, readers: 1, locksFolder: false)
        return sqlite.isToBeMade ? nil : try await open(sqlite)
    }

    private static func open(_ sqlite: SQLiteConfiguration) async throws -> Databases {
        let driver = try await SQLiteDriver.open(sqlite)
        return Databases(database: Database(driver: driver), name: "SQLite \(sqlite.path)")
    }

    /// Applies the migrations that are missing, or only checks that none is.
    package func prepare(migrating: Bool, log: Logger) async throws {
        let runner = MigrationRunner(migrations: Schema.migrations)
        guard migrating else { return try await runner.check(database) }
        try await runner.up(database) { progress in
            if case .finished(let number, let name) = progress {
                log.notice("migration applied", ["number": .integer(number), "name": .text(name)])
            }
        }
    }
}
