import Kernel
import Persistence
import Testing

@Suite("The database")
struct DatabaseTests {
    @Test("runs a write again while the engine asks for it, with a pause before each try")
    func retries() async throws {
        let driver = FakeDriver(errors: [.retryable("one"), .retryable("two")])
        let pauses = Locked<[Int]>([])
        let database = Database(driver: driver) { attempt in pauses.withLock { $0.append(attempt) } }

        let result = try await database.write { _ in 7 }

        #expect(result == 7)
        #expect(driver.calls == 3)
        #expect(pauses.withLock { $0 } == [2, 3])
    }

    @Test("gives up after its number of tries")
    func givesUp() async throws {
        let driver = FakeDriver(errors: Array(repeating: .retryable("again"), count: 9))
        let database = Database(driver: driver, attempts: 3) { _ in }

        let error = await #expect(throws: ServiceError.self) { try await database.write { _ in } }

        #expect(error?.code == .unavailable && error?.retryAfter == 1)
        #expect(driver.calls == 3)
    }

    @Test("does not run a write again whose task is cancelled meanwhile")
    func cancelledPause() async {
        let driver = FakeDriver(errors: [.retryable("one")])
        let database = Database(driver: driver) { _ in throw CancellationError() }

        await #expect(throws: CancellationError.self) { try await database.write { _ in } }
        #expect(driver.calls == 1)
    }

    @Test(
        "gives what the engine says as an error for the client, once",
        arguments: [
            (DatabaseError.duplicate(key: "PRIMARY"), .conflict), (.unavailable("away"), .unavailable),
            (.unknownCommit("lost"), .unavailable), (.corrupt("page 7"), .internalError),
            (.statement(code: 1, message: "secret", sql: "SELECT secret"), .internalError),
        ] as [(DatabaseError, ServiceError.Code)]
    )
    func translates(engine: DatabaseError, code: ServiceError.Code) async {
        let driver = FakeDriver(errors: [engine, engine, engine])
        let database = Database(driver: driver) { _ in }

        let write = await #expect(throws: ServiceError.self) { try await database.write { _ in } }
        let read = await #expect(throws: ServiceError.self) { try await database.read { _ in } }
        let migrate = await #expect(throws: ServiceError.self) { try await database.migrate { _ in } }

        #expect([write?.code, read?.code, migrate?.code] == [code, code, code])
        #expect(write?.message.contains("secret") == false)
        #expect(driver.calls == 3)
    }

    @Test("waits longer before each further try, but not without end")
    func pause() async throws {
        let start = ContinuousClock.now

        try await Database.jitteredPause(2)

        let time = start.duration(to: .now)
        #expect(time >= .milliseconds(5) && time < .seconds(60))
    }
}

/// Throws the errors it is given, then succeeds.
private final class FakeDriver: DatabaseDriver {
    private let state: Locked<(errors: [DatabaseError], calls: Int)>

    init(errors: [DatabaseError]) {
        state = Locked((errors, 0))
    }

    var dialect: Dialect { .sqlite }
    var calls: Int { state.withLock { $0.calls } }

    func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try next(body)
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try next(body)
    }

    func migrate<T: Sendable>(_ body: @escaping @Sendable (any MigrationSession) throws -> T) async throws -> T {
        if let error = take() { throw error }
        return try body(FakeSession())
    }

    func close() async {}

    private func next<T>(_ body: (Transaction) throws -> T) throws -> T {
        if let error = take() { throw error }
        return try body(Transaction(dialect: .sqlite, connection: FakeConnection()))
    }

    private func take() -> DatabaseError? {
        state.withLock { state in
            state.calls += 1
            return state.errors.isEmpty ? nil : state.errors.removeFirst()
        }
    }
}

private final class FakeConnection: DriverConnection {
    func execute(_ sql: SQL) throws -> Int { 0 }
    func query(_ sql: SQL, _ body: (Row) throws -> Bool) throws {}
}

private struct FakeSession: MigrationSession {
    var dialect: Dialect { .sqlite }
    func execute(_ sql: SQL) throws {}
    func transaction<T>(_ body: (Transaction) throws -> T) throws -> T {
        try body(Transaction(dialect: .sqlite, connection: FakeConnection()))
    }
}
