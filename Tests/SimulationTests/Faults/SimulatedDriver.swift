import Kernel
import Persistence

/// The way of one process to the database, on which everything can happen that the network and the server can do.
///
/// SAFETY: `@unchecked` because of what it refers to; only the thread that runs the seed uses it.
final class SimulatedDriver: DatabaseDriver, @unchecked Sendable {
    private let world: World
    private let process: Process

    init(_ world: World, _ process: Process) {
        self.world = world
        self.process = process
    }

    var dialect: Dialect { .sqlite }

    func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        let fate = world.faults.fateOfRead()
        return try await send {
            if fate == .refused { throw DatabaseError.unavailable("simulated: no connection") }
            return try self.world.database.read(body)
        }
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        let fate = world.faults.fateOfWrite()
        let request = Request.current
        return try await send { [self] in
            switch fate {
            case .good:
                return try world.database.write(for: request, body)
            case .refused:
                guard world.mutation == .answersBeforeCommit else {
                    throw DatabaseError.unavailable("simulated: no connection")
                }
                return try world.database.write(for: request, commits: false, body)
            case .busy:
                throw DatabaseError.retryable("simulated: deadlock")
            case .lostDone:
                let value = try world.database.write(for: request, body)
                switch world.mutation {
                case .unknownIsDone: return value
                case .unknownIsUndone: throw DatabaseError.retryable("simulated: connection lost at the commit")
                default: throw DatabaseError.unknownCommit("simulated: connection lost at the commit")
                }
            case .lostUndone:
                guard world.mutation == .unknownIsDone else {
                    throw DatabaseError.unknownCommit("simulated: connection lost at the commit")
                }
                return try world.database.write(for: request, commits: false, body)
            }
        }
    }

    func migrate<T: Sendable>(_ body: @escaping @Sendable (any MigrationSession) throws -> T) async throws -> T {
        throw DatabaseError.unavailable("simulated: nobody migrates")
    }

    func close() async {}

    /// Carries a transaction to the database and its outcome back; both take their time.
    ///
    /// The database works while the process that asked is stopped. When it dies on the way there, the transaction may
    /// happen or not; the answer goes nowhere.
    private func send<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try process.checkAlive()
        try Task.checkCancellation()
        let (scheduler, faults) = (world.scheduler, world.faults)
        let there = faults.delay(slow: .databaseSlow)
        let back = faults.delay(slow: .databaseSlow)
        let process = process
        let result = await withUnsafeContinuation { (continuation: UnsafeContinuation<Result<T, any Error>, Never>) in
            scheduler.after(there) {
                guard process.isAlive || scheduler.numbers.chance(500) else {
                    return continuation.resume(returning: .failure(ProcessDied()))
                }
                let result = Result { try work() }
                scheduler.after(back) { continuation.resume(returning: result) }
            }
        }
        try process.checkAlive()
        return try result.get()
    }
}
