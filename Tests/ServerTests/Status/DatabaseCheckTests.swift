import Kernel
import Persistence
import Server
import TestKit
import Testing

@Suite("The check of the database")
struct DatabaseCheckTests {
    @Test("passes where reads and writes do", arguments: Engine.available)
    func passes(engine: Engine) async throws {
        try await withTestDatabase(engine) { database in
            let check = DatabaseCheck(database: database, effects: ManualClock().effects)

            try await check.run()
            try await check.run()
        }
    }

    @Test("fails where writes are refused, says so to everybody, and passes again a second after they are not")
    func readOnly() async throws {
        try await withTestDatabase(.sqlite) { database in
            let clock = ManualClock()
            let driver = ReadOnlyDatabase(base: database)
            let check = DatabaseCheck(database: Database(driver: driver), effects: clock.effects)

            for _ in 0..<3 { await #expect(throws: ServiceError.self) { try await check.run() } }
            let writesAtOnce = driver.writes.withLock { $0 }
            driver.isReadOnly.withLock { $0 = false }
            await #expect(throws: ServiceError.self) { try await check.run() }
            clock.advance(by: .seconds(1))
            try await check.run()

            #expect(writesAtOnce == 1)
            #expect(driver.writes.withLock { $0 } == 2)
        }
    }
}

/// A database that refuses writes, as one on a full or damaged disk does.
private final class ReadOnlyDatabase: DatabaseDriver {
    let isReadOnly = Locked(true)
    let writes = Locked(0)
    private let base: Database

    init(base: Database) {
        self.base = base
    }

    var dialect: Dialect { base.dialect }

    func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try await base.read(body)
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        writes.withLock { $0 += 1 }
        guard !isReadOnly.withLock({ $0 }) else { throw DatabaseError.unavailable("read-only") }
        return try await base.write(body)
    }

    func migrate<T: Sendable>(_ body: @escaping @Sendable (any MigrationSession) throws -> T) async throws -> T {
        try await base.migrate(body)
    }

    func close() async {
        await base.close()
    }
}
