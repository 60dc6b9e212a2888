import Foundation
import Persistence

/// Schemas of one MySQL or MariaDB server for tests.
///
/// A schema is used by one test at a time and emptied before the next one; making a new one costs a second.
actor MySQLTestDatabases {
    static let mariadb = MySQLTestDatabases(.mariadb)
    static let mysql = MySQLTestDatabases(.mysql)

    /// A schema that nobody uses.
    private struct Schema {
        let name: String
        let migrations: String
        let tables: [String]
    }

    private let engine: Engine
    private var free: [Schema] = []
    private var inUse = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var made = 0

    /// Each test has a driver with its own connections, and a server takes 151.
    private static let limit = 8

    private init(_ engine: Engine) {
        self.engine = engine
    }

    nonisolated func with<Result>(
        _ migrations: [Migration],
        _ body: (TestStore) async throws -> Result
    ) async throws -> Result {
        await takeTurn()
        do {
            let result = try await run(migrations, body)
            await giveTurn()
            return result
        } catch {
            await giveTurn()
            throw error
        }
    }

    private nonisolated func run<Result>(
        _ migrations: [Migration],
        _ body: (TestStore) async throws -> Result
    ) async throws -> Result {
        let server = try MySQLTestServer(engine)
        let schema = try await schema(for: migrations, on: server)
        let driver = try await MySQLTestDriver.make(server, schema: schema.name)
        let store = TestStore(engine: engine, driver: driver, database: Database(driver: driver)) {
            try await MySQLTestDriver.make(server, schema: schema.name)
        }
        do {
            let result = try await body(store)
            await driver.close()
            await giveBack(schema)
            return result
        } catch {
            await driver.close()
            await giveBack(schema)
            throw error
        }
    }

    // MARK: - Turns

    private func takeTurn() async {
        while inUse >= Self.limit {
            await withCheckedContinuation { waiting.append($0) }
        }
        inUse += 1
    }

    private func giveTurn() {
        inUse -= 1
        if !waiting.isEmpty { waiting.removeFirst().resume() }
    }

    // MARK: - Schemas

    private func giveBack(_ schema: Schema) {
        free.append(schema)
    }

    private func schema(for migrations: [Migration], on server: MySQLTestServer) async throws -> Schema {
        let key = migrations.identity
        if let index = free.firstIndex(where: { $0.migrations == key }) {
            let schema = free.remove(at: index)
            if try await empty(schema, on: server) { return schema }
            try await drop(schema, on: server)
        }
        return try await create(migrations, on: server)
    }

    private func create(_ migrations: [Migration], on server: MySQLTestServer) async throws -> Schema {
        made += 1
        let name = "\(Self.prefix)\(ProcessInfo.processInfo.processIdentifier)_\(made)"
        let isFirst = made == 1
        try await withDriver(server, schema: "information_schema") { driver in
            try await driver.migrate { session in
                if isFirst { try Self.dropLeftovers(session) }
                try session.execute("DROP DATABASE IF EXISTS \(SQL(identifier: name))")
                try session.execute("CREATE DATABASE \(SQL(identifier: name))")
            }
        }
        let tables = try await withDriver(server, schema: name) { driver in
            try await MigrationRunner(migrations: migrations).up(Database(driver: driver))
            return try await driver.read { tx in try Self.tables(in: tx) }
        }
        return Schema(name: name, migrations: migrations.identity, tables: tables)
    }

    private static let prefix = "cairn_test_"

    /// Drops the schemas of test processes that are gone.
    private static func dropLeftovers(_ session: any MigrationSession) throws {
        let names = try session.transaction { tx in
            try tx.all("SELECT schema_name FROM information_schema.schemata") { try $0.text(0) }
        }
        for name in names where name.hasPrefix(prefix) {
            let process = name.dropFirst(prefix.count).prefix { $0 != "_" }
            guard !FileManager.default.fileExists(atPath: "/proc/\(process)") else { continue }
            try drop(name, session)
        }
    }

    private func drop(_ schema: Schema, on server: MySQLTestServer) async throws {
        try await withDriver(server, schema: "information_schema") { driver in
            try await driver.migrate { try Self.drop(schema.name, $0) }
        }
    }

    /// Drops a schema, or all that is in it: on a slow disk MariaDB now and then leaves a file `TABLE.TRG-` behind when it
    /// makes a trigger, and then does not remove the folder.
    private static func drop(_ name: String, _ session: any MigrationSession) throws {
        do {
            try session.execute("DROP DATABASE IF EXISTS \(SQL(identifier: name))")
        } catch let error as DatabaseError {
            guard case .statement(code: 1010, _, _) = error, try isEmpty(name, session) else { throw error }
        }
    }

    private static func isEmpty(_ name: String, _ session: any MigrationSession) throws -> Bool {
        try session.transaction { tx in
            try tx.count("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = \(name)") == 0
        }
    }

    /// Empties a schema; false when a test has changed its tables.
    private func empty(_ schema: Schema, on server: MySQLTestServer) async throws -> Bool {
        try await withDriver(server, schema: schema.name) { driver in
            try await driver.migrate { session in
                let tables = try session.transaction { tx in try Self.tables(in: tx) }
                guard tables == schema.tables else { return false }
                try session.execute("SET foreign_key_checks = 0")
                for table in tables where table != "cairn_migrations" {
                    try session.execute("DELETE FROM \(SQL(identifier: table))")
                }
                try session.execute("SET foreign_key_checks = 1")
                return true
            }
        }
    }

    private static func tables(in tx: Transaction) throws -> [String] {
        try tx.all(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name"
        ) { try $0.text(0) }
    }

    private func withDriver<Result>(
        _ server: MySQLTestServer,
        schema: String,
        _ body: (any DatabaseDriver) async throws -> Result
    ) async throws -> Result {
        let driver = try await MySQLTestDriver.make(server, schema: schema)
        do {
            let result = try await body(driver)
            await driver.close()
            return result
        } catch {
            await driver.close()
            throw error
        }
    }
}
