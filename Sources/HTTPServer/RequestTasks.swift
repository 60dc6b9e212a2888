import Kernel

/// The tasks of requests in progress.
///
/// This is the one place that starts tasks without a parent: a C callback reports a request where no Swift task is.
/// Each is bound to its exchange on the thread that would report the end of the connection, so no end is missed; it is
/// cancelled by that end, and a drain waits for all of them here.
final class RequestTasks: Sendable {
    private struct Running {
        var count = 0
        var waiters: [Gate] = []
    }

    private let executor: (any TaskExecutor)?
    private let running = Locked(Running())

    /// - Parameter executor: where the tasks run; nil for Swift's pool.
    init(executor: (any TaskExecutor)?) {
        self.executor = executor
    }

    var count: Int { running.withLock { $0.count } }

    /// Starts the task of one request.
    ///
    /// To be called on the loop's thread of its connection.
    func start(_ exchange: Exchange, _ work: @escaping @Sendable () async -> Void) {
        running.withLock { $0.count += 1 }
        exchange.bind(
            Task(executorPreference: executor) {
                await work()
                self.finished()
            }
        )
    }

    private func finished() {
        let waiters = running.withLock { running -> [Gate] in
            running.count -= 1
            guard running.count == 0, !running.waiters.isEmpty else { return [] }
            defer { running.waiters = [] }
            return running.waiters
        }
        for gate in waiters { gate.open() }
    }

    /// Returns when no task runs, or when the caller is cancelled.
    func allFinished() async {
        let gate = Gate()
        let wait = running.withLock { running in
            if running.count > 0 { running.waiters.append(gate) }
            return running.count > 0
        }
        if wait { await gate.opened() }
    }
}
