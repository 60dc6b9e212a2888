import Kernel

/// Something that happens once, and that tasks wait for.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var next = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Locked(State())

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume() }
    }

    /// Returns when the gate is open, even to a caller that is cancelled.
    func openedWhateverHappens() async {
        await withCheckedContinuation { continuation in
            let pass = state.withLock { state in
                if state.isOpen { return true }
                state.next += 1
                state.waiters[state.next] = continuation
                return false
            }
            if pass { continuation.resume() }
        }
    }

    /// Returns when the gate is open, or when the caller is cancelled.
    func opened() async {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let pass = state.withLock { state in
                    if state.isOpen || Task.isCancelled { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if pass { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }
}
