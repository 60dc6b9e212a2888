import Kernel

/// Requests to stop: the first one drains, the second one of an operator hurries.
package final class StopSignal: Sendable {
    private struct Waiter {
        var id: Int
        /// How many requests it waits for.
        var needed: Int
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var reasons: [String] = []
        var waiters: [Waiter] = []
        var nextID = 0

        /// Takes out the waiters that `isReady` picks.
        mutating func take(where isReady: (Waiter) -> Bool) -> [Waiter] {
            let ready = waiters.filter(isReady)
            waiters.removeAll(where: isReady)
            return ready
        }
    }

    private let state = Locked(State())

    package init() {}

    /// Asks to stop, from any thread; again, to hurry.
    package func request(_ reason: String) {
        request(reason, onlyFirst: false)
    }

    /// Asks to stop, and does nothing when that was asked before: services end because they were drained, which is no
    /// reason to hurry those that still drain.
    package func requestFirst(_ reason: String) {
        request(reason, onlyFirst: true)
    }

    private func request(_ reason: String, onlyFirst: Bool) {
        let ready = state.withLock { state -> [Waiter] in
            guard !onlyFirst || state.reasons.isEmpty else { return [] }
            state.reasons.append(reason)
            let count = state.reasons.count
            return state.take { $0.needed <= count }
        }
        for waiter in ready { waiter.continuation.resume() }
    }

    /// Why the first stop was asked for; nil before it.
    package var reason: String? {
        state.withLock { $0.reasons.first }
    }

    /// Returns at the first request, or when the task is cancelled.
    package func first() async {
        await wait(for: 1)
    }

    /// Returns at the second request, or when the task is cancelled.
    package func second() async {
        await wait(for: 2)
    }

    private func wait(for needed: Int) async {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard state.reasons.count < needed, !Task.isCancelled else { return true }
                    state.waiters.append(Waiter(id: id, needed: needed, continuation: continuation))
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let own = state.withLock { state in state.take { $0.id == id } }
            for waiter in own { waiter.continuation.resume() }
        }
    }
}
