/// Memory that those who need much of it share: whoever comes when it is all given out waits for its turn.
///
/// It counts and allocates nothing. First come, first served, whatever the sizes, so that a large request is not
/// overtaken for ever by small ones.
package final class MemoryBudget: Sendable {
    /// A part of the budget, given back when nobody holds this any more.
    package final class Share: Sendable {
        private let budget: MemoryBudget
        private let bytes: Int

        fileprivate init(_ bytes: Int, of budget: MemoryBudget) {
            self.budget = budget
            self.bytes = bytes
        }

        deinit {
            budget.giveBack(bytes)
        }
    }

    private struct Waiter: Sendable {
        let id: Int
        let bytes: Int
        let continuation: CheckedContinuation<Share?, Never>
    }

    private struct State: Sendable {
        var free: Int
        var nextID = 0
        var waiters: [Waiter] = []
    }

    private let total: Int
    private let state: Locked<State>

    /// - Parameter bytes: what may be given out at one time.
    package init(bytes: Int) {
        precondition(bytes > 0, "a budget of nothing keeps everybody waiting")
        total = bytes
        state = Locked(State(free: bytes))
    }

    /// Takes part of the budget.
    ///
    /// - Parameters:
    ///   - bytes: more than the whole budget counts as the whole budget.
    ///   - patience: the longest wait.
    /// - Throws: `.unavailable` when others hold too much for too long, `CancellationError` with the task.
    package func share(of bytes: Int, within patience: Duration) async throws -> Share {
        let bytes = min(bytes, total)
        if let share = takeAtOnce(bytes) { return share }
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return try await withThrowingTaskGroup(of: Share?.self) { group in
            group.addTask { await self.wait(for: bytes, id) }
            group.addTask {
                try await ContinuousClock().sleep(for: patience)
                return nil
            }
            defer { group.cancelAll() }
            guard let share = try await group.next() ?? nil else {
                try Task.checkCancellation()
                throw ServiceError.unavailable("The server has too many large requests at once; try again.")
            }
            return share
        }
    }

    /// How many wait.
    package var waiting: Int { state.withLock { $0.waiters.count } }

    private func takeAtOnce(_ bytes: Int) -> Share? {
        let isFree = state.withLock { state in
            guard state.waiters.isEmpty, state.free >= bytes else { return false }
            state.free -= bytes
            return true
        }
        return isFree ? Share(bytes, of: self) : nil
    }

    /// Nil when the task was cancelled first.
    private func wait(for bytes: Int, _ id: Int) async -> Share? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (isOver, isFree) = state.withLock { state in
                    if Task.isCancelled { return (true, false) }
                    if state.waiters.isEmpty, state.free >= bytes {
                        state.free -= bytes
                        return (true, true)
                    }
                    state.waiters.append(Waiter(id: id, bytes: bytes, continuation: continuation))
                    return (false, false)
                }
                if isOver { continuation.resume(returning: isFree ? Share(bytes, of: self) : nil) }
            }
        } onCancel: {
            let (given, served) = state.withLock { state in
                let index = state.waiters.firstIndex { $0.id == id }
                let given = index.map { state.waiters.remove(at: $0) }
                return (given, given == nil ? [] : Self.serve(&state))
            }
            given?.continuation.resume(returning: nil)
            resume(served)
        }
    }

    private func giveBack(_ bytes: Int) {
        let served = state.withLock { state in
            state.free += bytes
            return Self.serve(&state)
        }
        resume(served)
    }

    /// Takes out those at the front for whom there is room now.
    private static func serve(_ state: inout State) -> [Waiter] {
        var served: [Waiter] = []
        while let first = state.waiters.first, first.bytes <= state.free {
            state.free -= first.bytes
            served.append(state.waiters.removeFirst())
        }
        return served
    }

    private func resume(_ served: [Waiter]) {
        for waiter in served { waiter.continuation.resume(returning: Share(waiter.bytes, of: self)) }
    }
}
