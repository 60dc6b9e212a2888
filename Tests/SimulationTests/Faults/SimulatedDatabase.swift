import Kernel
import Persistence
import PersistenceSQLite
import Schema

/// One database server: transactions run one after the other, whole or not at all, and survive everything.
///
/// SAFETY: `@unchecked` because it changes; only the thread that runs the seed uses it.
final class SimulatedDatabase: @unchecked Sendable {
    let engine: SQLiteInMemory
    private let connection: ObservedConnection
    private let transaction: Transaction
    /// Called after each commit with what it changed, and for whom.
    var observe: (Request?, [Change]) -> Void = { _, _ in }
    /// Reads for the oracle, beside everything else.
    let oracle: Transaction

    init(_ engine: SQLiteInMemory, mutation: Mutation?) {
        self.engine = engine
        connection = ObservedConnection(engine.connection, mutation: mutation)
        transaction = Transaction(dialect: .sqlite, connection: connection)
        oracle = Transaction(dialect: .sqlite, connection: engine.connection)
    }

    func read<T>(_ body: (Transaction) throws -> T) throws -> T {
        try engine.begin()
        defer { engine.rollBack() }
        return try body(transaction)
    }

    func write<T>(for request: Request?, commits: Bool = true, _ body: (Transaction) throws -> T) throws -> T {
        connection.changes = []
        try engine.begin()
        do {
            let value = try body(transaction)
            guard commits else {
                engine.rollBack()
                return value
            }
            try engine.commit()
            let changes = connection.changes
            if !changes.isEmpty { observe(request, changes) }
            return value
        } catch {
            engine.rollBack()
            throw error
        }
    }
}

/// A database in memory with all tables, which many runs use one after the other.
struct MigratedDatabase {
    let engine: SQLiteInMemory

    init() throws {
        engine = try SQLiteInMemory()
        let scheduler = Scheduler(seed: 0, trace: Trace(keepsLines: false))
        let lane = Lane("migration", number: 0, scheduler)
        let driver = MigrationDriver(engine)
        let failure = Locked<(any Error)?>(nil)
        scheduler.start(on: lane) {
            do {
                _ = try await MigrationRunner(migrations: Schema.migrations).up(Database(driver: driver))
            } catch {
                failure.withLock { $0 = error }
            }
        }
        _ = scheduler.run(atMost: 1000) { scheduler.liveTasks == 0 }
        if let error = failure.withLock({ $0 }) { throw error }
    }
}

/// Runs migrations, and nothing else, where it is called.
///
/// SAFETY: as `Scheduler`.
private final class MigrationDriver: DatabaseDriver, @unchecked Sendable {
    private let engine: SQLiteInMemory

    init(_ engine: SQLiteInMemory) {
        self.engine = engine
    }

    var dialect: Dialect { .sqlite }

    func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try body(Transaction(dialect: .sqlite, connection: engine.connection))
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try body(Transaction(dialect: .sqlite, connection: engine.connection))
    }

    func migrate<T: Sendable>(_ body: @escaping @Sendable (any MigrationSession) throws -> T) async throws -> T {
        try body(engine.migrationSession)
    }

    func close() async {}
}
