import Kernel
import Persistence

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Connections on demand, each with a thread of its own, because the client library blocks.
final class MySQLPool: Sendable {
    private struct State {
        var threads: PoolState<MySQLWorker, MySQLJob>
        /// Whether a thread watches the deadlines of what waits.
        var isWatched = false
        var closing: [CheckedContinuation<Void, Never>] = []
    }

    let configuration: MySQLConfiguration
    let authority: CertificateFile?
    private let state: Locked<State>

    init(_ configuration: MySQLConfiguration) throws(MySQLConfigurationProblem) {
        self.configuration = configuration
        if let tls = configuration.tls {
            authority = try CertificateFile(tls.certificateAuthority)
        } else {
            authority = nil
        }
        state = Locked(
            State(
                threads: PoolState(
                    connections: configuration.limits.connections,
                    queue: configuration.limits.queue
                )
            )
        )
    }

    var isClosed: Bool { state.withLock { $0.threads.isClosed } }

    /// Connections that exist, for metrics and tests.
    var connections: Int { state.withLock { $0.threads.live } }
    var waiting: Int { state.withLock { $0.threads.waitingCount } }

    /// Runs a job on a connection, now or when one is free, or refuses it.
    func submit(_ job: MySQLJob) {
        let (submission, mustWatch) = state.withLock { state in
            let submission = state.threads.submit(job, isReading: job.mode == .read, isPending: \.isWaiting)
            guard case .wait = submission, !state.isWatched else { return (submission, false) }
            state.isWatched = true
            return (submission, true)
        }
        switch submission {
        case .hand(let worker): worker.mailbox.put(.run(job))
        case .start(let number): MySQLWorker(pool: self, number: number).start(job)
        case .wait: if mustWatch { watch() }
        case .refuse(isClosed: true): job.fail(DatabaseError.unavailable("the database is closed"))
        case .refuse(isClosed: false): job.fail(DatabaseError.unavailable("the database has too much to do"))
        }
    }

    /// Refuses new work and returns when what waits is done and every thread has ended.
    func close() async {
        let idle = state.withLock { $0.threads.close() }
        for worker in idle { worker.mailbox.put(.end) }
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.threads.live > 0 { state.closing.append(continuation) }
                return state.threads.live == 0
            }
            if isOver { continuation.resume() }
        }
    }
}

// MARK: - What threads ask

extension MySQLPool {
    var generation: Int { state.withLock { $0.threads.generation } }

    /// To be called before a caller gets its answer from a connection.
    func willFinish() {
        state.withLock { $0.threads.willFinish() }
    }

    func next(
        for worker: MySQLWorker,
        hasAnswered: Bool,
        generation: Int?,
        wasReading: Bool
    ) -> PoolState<MySQLWorker, MySQLJob>.Next {
        state.withLock {
            $0.threads.next(for: worker, hasAnswered: hasAnswered, generation: generation, wasReading: wasReading)
        }
    }

    enum Requeueing {
        /// The others have it; the thread ends without another word.
        case done
        /// Its task was cancelled.
        case answered
        case noOthers
    }

    func requeue(_ job: MySQLJob, from worker: MySQLWorker) -> Requeueing {
        let (result, mustWatch) = state.withLock { state -> (Requeueing, Bool) in
            guard state.threads.live > 1 else { return (.noOthers, false) }
            guard job.restoreToQueue() else { return (.answered, false) }
            state.threads.requeue(job, number: worker.number)
            defer { state.isWatched = true }
            return (.done, !state.isWatched)
        }
        if mustWatch { watch() }
        return result
    }

    func retire(_ worker: MySQLWorker) -> Bool {
        state.withLock { $0.threads.retire(worker) }
    }

    /// Gives up every connection: those in use when their work is done, the others now.
    func dropAll() {
        let idle = state.withLock { $0.threads.dropAll() }
        for worker in idle { worker.mailbox.put(.end) }
    }

    /// A thread has closed its connection; whoever closes the pool waits for the last.
    ///
    /// - Returns: a job for which it goes on.
    func end(_ worker: MySQLWorker) -> MySQLJob? {
        let (job, closing) = state.withLock { state -> (MySQLJob?, [CheckedContinuation<Void, Never>]) in
            let job = state.threads.end(number: worker.number)
            guard state.threads.live == 0 else { return (job, []) }
            defer { state.closing = [] }
            return (job, state.closing)
        }
        for continuation in closing { continuation.resume() }
        return job
    }
}

// MARK: - Deadlines of what waits

extension MySQLPool {
    /// Starts a thread that refuses what has waited too long, and ends when nothing waits.
    private func watch() {
        NamedThread.start(name: "mysql-wait") { [self] in
            while let wakeUp = expire() {
                let left = ContinuousClock.now.duration(to: wakeUp)
                let pause = max(Duration.milliseconds(1), min(left, Duration.seconds(1)))
                var time = timespec(
                    tv_sec: Int(pause.components.seconds),
                    tv_nsec: Int(pause.components.attoseconds / 1_000_000_000)
                )
                nanosleep(&time, nil)
            }
        }
    }

    /// Refuses what is due, and says when to look again.
    private func expire() -> ContinuousClock.Instant? {
        let now = ContinuousClock.now
        let (expired, wakeUp) = state.withLock { state in
            let expired = state.threads.removeWaiting { $0.deadline <= now || !$0.isWaiting }
            let wakeUp = state.threads.firstWaiting?.deadline
            if wakeUp == nil { state.isWatched = false }
            return (expired, wakeUp)
        }
        for job in expired { job.fail(DatabaseError.unavailable("the database is too busy")) }
        return wakeUp
    }
}
