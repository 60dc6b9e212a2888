import Kernel
import Persistence

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A closure on its way: waiting for a connection, running on one, answered.
///
/// The thread of a connection, a deadline and a cancelled task may all want to answer it; `phase` sees to it that one
/// does.
///
/// | from | event | to |
/// |---|---|---|
/// | waiting | a thread takes it | starting |
/// | waiting | deadline, cancellation, full queue | answered |
/// | starting | the connection is ready | running |
/// | starting | there is no room for a connection | waiting |
/// | starting | no connection | answered |
/// | running | the closure is done | answered |
final class MySQLJob: Sendable {
    private enum Phase {
        case waiting
        case starting(isCancelled: Bool)
        case running(socket: Int32, isCancelled: Bool)
        case answered
    }

    /// What kind of transaction the connection begins before the work; none for questions about the server.
    let mode: MySQLConnection.Mode?
    let deadline: ContinuousClock.Instant
    /// Runs on the connection's thread and answers the caller.
    let work: @Sendable (MySQLConnection, MySQLJob) -> Void
    private let refuse: @Sendable (any Error) -> Void
    private let phase = Locked(Phase.waiting)

    init(
        mode: MySQLConnection.Mode?,
        deadline: ContinuousClock.Instant,
        work: @escaping @Sendable (MySQLConnection, MySQLJob) -> Void,
        refuse: @escaping @Sendable (any Error) -> Void
    ) {
        self.mode = mode
        self.deadline = deadline
        self.work = work
        self.refuse = refuse
    }

    var isWaiting: Bool {
        phase.withLock { if case .waiting = $0 { true } else { false } }
    }

    /// Takes it out of the queue; false when it was answered there.
    func start() -> Bool {
        phase.withLock { phase in
            guard case .waiting = phase else { return false }
            phase = .starting(isCancelled: false)
            return true
        }
    }

    /// Puts it back; false when the task was cancelled meanwhile, and the caller has its answer.
    func restoreToQueue() -> Bool {
        let goesOn = phase.withLock { phase in
            guard case .starting(isCancelled: false) = phase else {
                phase = .answered
                return false
            }
            phase = .waiting
            return true
        }
        if !goesOn { refuse(CancellationError()) }
        return goesOn
    }

    /// Says which socket it runs on; false when the task was cancelled meanwhile, and the caller has its answer.
    func run(on socket: Int32) -> Bool {
        let goesOn = phase.withLock { phase in
            guard case .starting(isCancelled: false) = phase else {
                phase = .answered
                return false
            }
            phase = .running(socket: socket, isCancelled: false)
            return true
        }
        if !goesOn { refuse(CancellationError()) }
        return goesOn
    }

    /// To be called before the caller gets its answer and before the connection is used again or closed: from here on
    /// nobody touches the socket.
    ///
    /// - Returns: whether the task was cancelled, which explains a broken connection.
    func finish() -> Bool {
        phase.withLock { phase in
            defer { phase = .answered }
            if case .running(_, isCancelled: true) = phase { return true }
            return false
        }
    }

    /// Answers it before a closure ran.
    func fail(_ error: any Error) {
        let isOpen = phase.withLock { phase in
            defer { phase = .answered }
            if case .answered = phase { return false }
            return true
        }
        if isOpen { refuse(error) }
    }

    /// Takes it out while it waits; cuts the connection under a read.
    ///
    /// A write goes on to its commit.
    func cancel() {
        let isAnswered = phase.withLock { phase -> Bool in
            switch phase {
            case .waiting:
                phase = .answered
                return true
            case .starting:
                phase = .starting(isCancelled: mode != .write)
            case .running(let socket, _) where mode != .write:
                // The descriptor is open: its thread calls `finish`, which needs this lock, before it closes.
                shutdown(socket, Int32(SHUT_RDWR))
                phase = .running(socket: socket, isCancelled: true)
            case .running, .answered:
                break
            }
            return false
        }
        if isAnswered { refuse(CancellationError()) }
    }
}
