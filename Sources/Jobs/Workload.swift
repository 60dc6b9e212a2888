import Kernel

/// What a runner has in hand, and whether it is to take more, finish, or hurry.
final class Workload: Sendable {
    private struct State {
        var count = 0
        var isDraining = false
        var isHurried = false
        var nextID = 0
        var waitingForEnd: [CheckedContinuation<Void, Never>] = []
        var waitingForHurry: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Locked(State())

    var count: Int { state.withLock { $0.count } }
    var isDraining: Bool { state.withLock { $0.isDraining } }

    /// Takes more work in hand; false once the runner drains.
    func begin() -> Bool {
        state.withLock { state in
            guard !state.isDraining else { return false }
            state.count += 1
            return true
        }
    }

    /// Takes in hand what came out of work that is in hand: `end` of that one comes later.
    func add(_ more: Int) {
        state.withLock { $0.count += more }
    }

    func end() {
        let waiting = state.withLock { state in
            state.count -= 1
            guard state.count == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waitingForEnd = [] }
            return state.waitingForEnd
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Takes no more work, and returns when none is in hand.
    ///
    /// When the task is cancelled, whoever waits for hurry is told; what is in hand still comes to its end.
    func drain() async {
        state.withLock { $0.isDraining = true }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.count > 0 { state.waitingForEnd.append(continuation) }
                    return state.count == 0
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            hurry()
        }
    }

    /// Returns when the time to finish is over, or when the task is cancelled.
    func hurried() async {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard !state.isHurried, !Task.isCancelled else { return true }
                    state.waitingForHurry[id] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let own = state.withLock { $0.waitingForHurry.removeValue(forKey: id) }
            own?.resume()
        }
    }

    private func hurry() {
        let waiting = state.withLock { state in
            state.isHurried = true
            defer { state.waitingForHurry = [:] }
            return state.waitingForHurry
        }
        for continuation in waiting.values { continuation.resume() }
    }
}
