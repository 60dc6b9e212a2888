package import Persistence
import Schema

/// A database for one test: empty but for its migrations, on the real engine.
package struct TestStore: Sendable {
    package let engine: Engine
    package let driver: any DatabaseDriver
    package let database: Database
    /// Opens one more driver on the same data, for tests of what another process sees.
    ///
    /// The test closes it.
    package let open: @Sendable () async throws -> any DatabaseDriver
}

/// Runs `body` with a database of its own that has the schema of `migrations`.
///
/// Skips the test, visibly, when the engine's server does not run.
package func withTestDatabase<Result>(
    _ engine: Engine,
    migrations: [Migration] = Schema.migrations,
    _ body: (Database) async throws -> Result
) async throws -> Result {
    try await withTestStore(engine, migrations: migrations) { try await body($0.database) }
}

/// As `withTestDatabase`, for tests of drivers.
package func withTestStore<Result>(
    _ engine: Engine,
    migrations: [Migration] = Schema.migrations,
    _ body: (TestStore) async throws -> Result
) async throws -> Result {
    try engine.requireAvailable()
    switch engine {
    case .sqlite: return try await SQLiteTestDatabases.shared.with(migrations, body)
    case .mariadb: return try await MySQLTestDatabases.mariadb.with(migrations, body)
    case .mysql: return try await MySQLTestDatabases.mysql.with(migrations, body)
    }
}

extension [Migration] {
    /// The same for the same migrations.
    var identity: String {
        map { "\($0.number)-\($0.checksum(ofSteps: $0.steps.count))" }.joined(separator: " ")
    }
}
