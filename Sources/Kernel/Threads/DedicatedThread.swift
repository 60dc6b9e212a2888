/// One thread with a bounded queue; closures run in order, and only there.
///
/// For C objects that belong to one thread, and for calls that block: Swift's cooperative pool never waits for either.
package final class DedicatedThread: Sendable {
    private let queue: WorkQueue

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - name: what `ps -L` shows; cut to 15 bytes.
    ///   - queue: how many closures may wait.
    package init(name: String, queue limit: Int) {
        queue = WorkQueue(name: name, limit: limit)
        queue.startThread(name: name)
    }

    /// Runs `work` on the thread and gives its result.
    ///
    /// - Parameter deadline: the longest wait for a turn. Work that has begun is not interrupted.
    /// - Throws: what `work` throws; `.unavailable` when the queue is full, the deadline has passed or the thread has
    ///   ended; `CancellationError` when the task was cancelled before its turn.
    package func run<T: Sendable>(deadline: Duration, _ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await queue.run(deadline: deadline, work)
    }

    /// Lets the thread end when its queue is empty; later work is refused.
    package func stop() {
        queue.stop()
    }
}

/// A few threads with a bounded queue, for calls that may block or burn.
///
/// Heavy work may have threads and a queue of its own: nothing light waits behind it, and its threads give way to all
/// others.
package final class BlockingPool: Sendable {
    private enum Place {
        case threads(WorkQueue, heavy: WorkQueue)
        /// The caller's own thread, after a wait.
        case inline(@Sendable () async -> Void)
    }

    private let place: Place

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - name: what `ps -L` shows; cut to 15 bytes.
    ///   - threads: how many.
    ///   - heavyThreads: how many more for heavy work; without any it is done where all other work is.
    ///   - limit: how many closures of each weight may wait.
    package init(name: String, threads: Int, heavyThreads: Int = 0, queue limit: Int) {
        let queue = WorkQueue(name: name, limit: limit)
        for index in 0..<threads { queue.startThread(name: "\(name)-\(index)") }
        let heavy = heavyThreads > 0 ? WorkQueue(name: name, limit: limit) : queue
        for index in 0..<heavyThreads { heavy.startThread(name: "\(name)-heavy-\(index)", priority: .low) }
        place = .threads(queue, heavy: heavy)
    }

    /// A pool without threads: work runs where its caller runs, so that a simulation decides about its order.
    ///
    /// - Parameter turn: waits for the turn of one closure.
    package init(inlineAfter turn: @escaping @Sendable () async -> Void) {
        place = .inline(turn)
    }

    /// Runs `work` on one of the threads; see `DedicatedThread.run`.
    package func run<T: Sendable>(
        _ weight: WorkWeight = .light,
        deadline: Duration,
        _ work: @escaping @Sendable () throws -> T
    ) async throws -> T {
        switch place {
        case .threads(let queue, let heavy):
            return try await (weight == .heavy ? heavy : queue).run(deadline: deadline, work)
        case .inline(let turn):
            await turn()
            try Task.checkCancellation()
            return try work()
        }
    }

    /// Lets the threads end when the queue is empty; later work is refused.
    package func stop() {
        guard case .threads(let queue, let heavy) = place else { return }
        queue.stop()
        heavy.stop()
    }
}
