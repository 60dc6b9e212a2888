import Kernel
import Persistence

/// A database of which one write fails, before it happened or after it.
struct FailingDatabase: DatabaseDriver {
    enum Failure: CaseIterable, Sendable {
        /// Nothing was changed.
        case refused
        /// The change is durable, and nobody was told.
        case answerLost
    }

    /// Which write fails.
    final class Plan: Sendable {
        private struct State: Sendable {
            /// Writes before the one that fails; nil when none is to fail any more.
            var left: Int?
            var failure = Failure.refused
            var isCounting = false
        }

        private let state = Locked(State())

        /// Lets the write after `count` others fail; only those of `counting` are counted.
        func arm(after count: Int, _ failure: Failure) {
            state.withLock { $0 = State(left: count, failure: failure) }
        }

        /// Whether the write that was to fail never came.
        var isUnmet: Bool { state.withLock { $0.left != nil } }

        func counting<Result>(_ body: () async throws -> Result) async rethrows -> Result {
            state.withLock { $0.isCounting = true }
            defer { state.withLock { $0.isCounting = false } }
            return try await body()
        }

        fileprivate func next() -> Failure? {
            state.withLock { state in
                guard state.isCounting, let left = state.left else { return nil }
                state.left = left == 0 ? nil : left - 1
                return left == 0 ? state.failure : nil
            }
        }
    }

    let base: Database
    let plan: Plan

    var dialect: Dialect { base.dialect }

    func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try await base.read(body)
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        switch plan.next() {
        case nil:
            return try await base.write(body)
        case .refused:
            throw DatabaseError.unavailable("this write was to fail")
        case .answerLost:
            _ = try await base.write(body)
            throw DatabaseError.unknownCommit("the answer to this write was to be lost")
        }
    }

    func migrate<T: Sendable>(_ body: @escaping @Sendable (any MigrationSession) throws -> T) async throws -> T {
        try await base.migrate(body)
    }

    func close() async {
        await base.close()
    }
}
