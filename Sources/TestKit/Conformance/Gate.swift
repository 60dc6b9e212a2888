import Kernel
import Dispatch
import Synchronization

/// A door between a test and a closure that runs on a connection's thread.
///
/// Closures of transactions are synchronous, so they wait by blocking; always with a limit, so that a driver that
/// breaks its contract fails the test instead of stopping it.
package final class Gate: Sendable {
    private struct State: Sendable {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let opened = DispatchSemaphore(value: 0)
    private let state = Locked(State())

    package init() {}

    /// Lets everybody pass, now and later.
    package func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        opened.signal()
        for continuation in waiting { continuation.resume() }
    }

    package var isOpen: Bool { state.withLock { $0.isOpen } }

    /// For closures: blocks the thread.
    ///
    /// - Returns: whether it was opened in time.
    @discardableResult
    package func block(milliseconds limit: Int = 60_000) -> Bool {
        guard opened.wait(timeout: .now() + .milliseconds(limit)) == .success else { return false }
        opened.signal()
        return true
    }

    /// For tests: suspends the task.
    package func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}

/// Counts what happens in closures.
package final class Tally: Sendable {
    private let count: Atomic<Int>

    package init(_ start: Int = 0) {
        count = Atomic(start)
    }

    package var value: Int { count.load(ordering: .acquiring) }

    /// Adds one and gives the value before.
    @discardableResult
    package func add() -> Int {
        count.add(1, ordering: .acquiringAndReleasing).oldValue
    }
}

/// Waits until something is true, looking every few milliseconds.
///
/// - Returns: whether it became true in time.
package func eventually(
    within limit: Duration = .seconds(60),
    _ condition: () async throws -> Bool
) async rethrows -> Bool {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        do {
            try await Task.sleep(for: .milliseconds(5))
        } catch {
            return false
        }
    }
    return try await condition()
}
