import Kernel
import PersistenceMySQL

/// What comes before the first migration where an administrator's account is given: waiting for the database server,
/// the database, the service's account (`spec/self-hosting.md` §1.12).
struct MigrationJob: Sendable {
    /// With the account and the patience that migrations have.
    let database: DatabaseConfiguration
    private let service: MySQLConfiguration?
    private let migration: MigrationConfiguration

    init(settings: Settings, dataFolder: String) throws(ConfigurationError) {
        let settings = settings.section()
        // The container knows no lowest version, so that the certificate alone turns TLS on.
        let database = settings.build { settings throws(ConfigurationError) in
            try DatabaseConfiguration(settings: settings, dataFolder: dataFolder, leastTLS: .v12)
        }
        let migration = settings.build { settings throws(ConfigurationError) in
            try MigrationConfiguration(settings: settings, database: database)
        }
        try settings.check()
        guard var database, let migration else { throw ConfigurationError([]) }
        var service: MySQLConfiguration?
        if case .mysql(let mysql) = database.engine {
            service = mysql
            database.engine = .mysql(migration.applied(to: mysql))
        }
        self.database = database
        self.service = service
        self.migration = migration
    }

    /// Waits for the server and makes what is missing; nothing on SQLite.
    func prepare(_ environment: ProcessEnvironment) async throws {
        guard let service else { return }
        if let ping = migration.ping { try await wait(for: ping, service, environment) }
        guard let administrator = migration.administrator else {
            guard migration.waits, case .mysql(let used) = database.engine else { return }
            return try await patiently(environment) { try await Self.connect(used) }
        }
        let setup = MySQLSetup(for: service, by: administrator, makesAccount: migration.makesAccount)
        try await patiently(environment) {
            try await setup.run { environment.standardOutput("\($0)\n") }
        }
    }

    /// Any answer will do, a refusal too.
    private func wait(
        for endpoint: MySQLEndpoint,
        _ service: MySQLConfiguration,
        _ environment: ProcessEnvironment
    ) async throws {
        var configuration = service
        configuration.endpoint = endpoint
        configuration.database = ""
        try await patiently(environment) {
            do {
                try await Self.connect(configuration)
            } catch let error as MySQLConnectError where !error.isTransient {}
        }
    }

    private static func connect(_ configuration: MySQLConfiguration) async throws {
        let driver = try MySQLDriver(configuration)
        do {
            _ = try await driver.inspect()
            await driver.close()
        } catch {
            await driver.close()
            throw error
        }
    }

    /// Tries once a second until the server can be reached, without end: whoever is started together with the database
    /// is started too early.
    private func patiently(_ environment: ProcessEnvironment, _ body: () async throws -> Void) async throws {
        var tries = 0
        while true {
            do {
                return try await body()
            } catch let error as MySQLConnectError where migration.waits && error.isTransient {
                if tries % 10 == 0 { environment.standardError("waiting: \(error)\n") }
                tries += 1
                try await environment.clock.sleep(for: .seconds(1))
            }
        }
    }
}
