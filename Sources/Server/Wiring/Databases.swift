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
            let driver = try await SQLiteDriver.open(SQLiteConfiguration(path: path))
            return Databases(database: Database(driver: driver), name: "SQLite \(path)")
        case .mysql(let mysql):
            let driver = try MySQLDriver(mysql)
            _ = try await driver.inspect()
            return Databases(database: Database(driver: driver), name: "MySQL \(mysql.endpoint)")
        }
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
