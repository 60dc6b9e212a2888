import Kernel
import Persistence
import Server
import TestKit

/// A move of which each run fails at one of its writes.
struct FailingMove {
    let source: Database
    let target: Database
    let kind: FailingDatabase.Failure

    init(_ source: Database, _ target: Database, _ kind: FailingDatabase.Failure) {
        self.source = source
        self.target = target
        self.kind = kind
    }

    func run(failingAt write: Int) async throws {
        let (source, target) = failing(at: write)
        try await DatabaseMove(source, target).run { _ in }
    }

    func copyOnline(failingAt write: Int) async throws {
        let (source, target) = failing(at: write)
        _ = try await DatabaseMove(source, target).copyOnline { _ in }
    }

    /// Fails at its second write.
    func cancel() async throws {
        let (source, target) = failing(at: 2)
        try await DatabaseMove.cancel(source, target)
    }

    private func failing(at write: Int) -> (Database, Database) {
        let writes = Locked(0)
        let kind = kind
        let failure: @Sendable () -> FailingDatabase.Failure? = {
            writes.withLock { count in
                count += 1
                return count == write ? kind : nil
            }
        }
        return (
            Database(driver: FailingDatabase(base: source, failure: failure)),
            Database(driver: FailingDatabase(base: target, failure: failure))
        )
    }

    func states() async throws -> String {
        let states = try await [MoveMark.read(source), MoveMark.read(target)].map { $0?.state.rawValue ?? "none" }
        return states.joined(separator: " ")
    }
}
