import Kernel
import TestKit

/// Which of the writes that are counted fails.
final class WritePlan: Sendable {
    private struct State: Sendable {
        /// Writes before the one that fails; nil when none is to fail any more.
        var left: Int?
        var failure = FailingDatabase.Failure.refused
        var isCounting = false
    }

    private let state = Locked(State())

    /// Lets the write after `count` others fail; only those of `counting` are counted.
    func arm(after count: Int, _ failure: FailingDatabase.Failure) {
        state.withLock { $0 = State(left: count, failure: failure) }
    }

    /// Whether the write that was to fail never came.
    var isUnmet: Bool { state.withLock { $0.left != nil } }

    func counting<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        state.withLock { $0.isCounting = true }
        defer { state.withLock { $0.isCounting = false } }
        return try await body()
    }

    func next() -> FailingDatabase.Failure? {
        state.withLock { state in
            guard state.isCounting, let left = state.left else { return nil }
            state.left = left == 0 ? nil : left - 1
            return left == 0 ? state.failure : nil
        }
    }
}
