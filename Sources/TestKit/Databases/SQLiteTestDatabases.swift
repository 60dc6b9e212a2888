import Foundation
import Persistence
import PersistenceSQLite

/// SQLite databases for tests: a copy of a migrated file in a folder of its own, with the real driver on it.
///
/// A database in memory would have neither a write-ahead log nor a second connection, so it would test something else.
actor SQLiteTestDatabases {
    static let shared = SQLiteTestDatabases()

    private var templates: [String: Data] = [:]

    nonisolated func with<Result>(
        _ migrations: [Migration],
        _ body: (TestStore) async throws -> Result
    ) async throws -> Result {
        let template = try await template(for: migrations)
        return try await TestFolder.with { folder in
            let path = "\(folder)/cairn.db"
            try template.write(to: URL(fileURLWithPath: path))
            let driver = try await SQLiteDriver.open(Self.configuration(path, readers: 2))
            let store = TestStore(engine: .sqlite, driver: driver, database: Database(driver: driver)) {
                var other = Self.configuration(path, readers: 1)
                other.locksFolder = false
                return try await SQLiteDriver.open(other)
            }
            do {
                let result = try await body(store)
                await driver.close()
                return result
            } catch {
                await driver.close()
                throw error
            }
        }
    }

    private static func configuration(_ path: String, readers: Int) -> SQLiteConfiguration {
        var configuration = SQLiteConfiguration(path: path, readers: readers)
        configuration.queueTimeout = TestPatience.limit
        configuration.readTimeout = TestPatience.limit
        return configuration
    }

    /// The bytes of a migrated file.
    ///
    /// Two tests that ask at once may both make it, which does no harm.
    private func template(for migrations: [Migration]) async throws -> Data {
        let key = migrations.identity
        if let template = templates[key] { return template }
        let template = try await TestFolder.with { folder in
            let path = "\(folder)/template.db"
            let driver = try await SQLiteDriver.open(SQLiteConfiguration(path: path, readers: 1))
            do {
                try await MigrationRunner(migrations: migrations).up(Database(driver: driver))
            } catch {
                await driver.close()
                throw error
            }
            await driver.close()
            return try Data(contentsOf: URL(fileURLWithPath: path))
        }
        templates[key] = template
        return template
    }
}
