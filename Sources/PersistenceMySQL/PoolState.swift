/// Who waits and who works in a pool, without threads, clocks or connections.
///
/// Each event gives what to do about it. `Worker` stands for a thread with its connection, `Job` for a closure.
package struct PoolState<Worker: AnyObject, Job: AnyObject> {
    package enum Submission {
        case hand(Worker)
        /// Start a thread with this number.
        case start(number: Int)
        case wait
        case refuse(isClosed: Bool)
    }

    package enum Next {
        case run(Job)
        /// Wait for a message.
        case park
        case end
    }

    private struct Parked {
        let worker: Worker
        let wasReading: Bool
    }

    private var parked: [Parked] = []
    private var waiting: [Job] = []
    private var freeNumbers: [Int]
    /// Threads that have answered and will ask for the next job in a moment.
    private var finishing = 0
    private let queue: Int
    private let limit: Int
    package private(set) var isClosed = false
    /// Counts the times that every connection was given up.
    ///
    /// A connection of an earlier one is not used again.
    package private(set) var generation = 0

    package init(connections: Int, queue: Int) {
        freeNumbers = (0..<connections).reversed()
        limit = connections
        self.queue = queue
    }

    /// Threads that exist.
    package var live: Int { limit - freeNumbers.count }
    package var idle: Int { parked.count }
    package var waitingCount: Int { waiting.count }

    /// A thread is about to answer, after which the caller may well come back before the thread is idle.
    package mutating func willFinish() {
        finishing += 1
    }

    /// Takes the connection that was used last, so that the others can become idle and go; among those whose last
    /// transaction was of the same kind, where there are some, because it needs one message less.
    ///
    /// A connection that is about to be free is waited for, because that is quicker than to open one.
    package mutating func submit(_ job: Job, isReading: Bool, isPending: (Job) -> Bool) -> Submission {
        if isClosed { return .refuse(isClosed: true) }
        if let index = parked.lastIndex(where: { $0.wasReading == isReading }) ?? parked.indices.last {
            return .hand(parked.remove(at: index).worker)
        }
        if waiting.count >= finishing, let number = freeNumbers.popLast() { return .start(number: number) }
        if waiting.count >= queue { waiting.removeAll { !isPending($0) } }
        guard waiting.count < queue else { return .refuse(isClosed: false) }
        waiting.append(job)
        return .wait
    }

    /// What a thread does after its job.
    ///
    /// - Parameters:
    ///   - hasAnswered: whether it said `willFinish` before.
    ///   - generation: that of its connection, or nil when it has none; such a thread ends when nothing waits.
    package mutating func next(for worker: Worker, hasAnswered: Bool, generation: Int?, wasReading: Bool) -> Next {
        if hasAnswered { finishing -= 1 }
        if !waiting.isEmpty { return .run(waiting.removeFirst()) }
        guard !isClosed, generation == self.generation else { return .end }
        parked.append(Parked(worker: worker, wasReading: wasReading))
        return .park
    }

    /// A thread that found no room on the server gives its job to the others and its number back.
    ///
    /// Only where there are others (`live > 1`): they take it, or refuse it.
    package mutating func requeue(_ job: Job, number: Int) {
        freeNumbers.append(number)
        waiting.insert(job, at: 0)
    }

    /// A thread has waited for as long as an idle one may.
    ///
    /// - Returns: false when a message is on its way to it.
    package mutating func retire(_ worker: Worker) -> Bool {
        guard let index = parked.firstIndex(where: { $0.worker === worker }) else { return false }
        parked.remove(at: index)
        return true
    }

    /// A thread has closed its connection and is about to end.
    ///
    /// - Returns: a job that came while it did, for which it goes on.
    package mutating func end(number: Int) -> Job? {
        if !waiting.isEmpty { return waiting.removeFirst() }
        freeNumbers.append(number)
        return nil
    }

    /// Gives up every connection.
    ///
    /// - Returns: the idle threads, which are to end.
    package mutating func dropAll() -> [Worker] {
        generation += 1
        defer { parked = [] }
        return parked.map(\.worker)
    }

    /// Refuses new work; what waits is still done.
    ///
    /// - Returns: the idle threads, which are to end.
    package mutating func close() -> [Worker] {
        isClosed = true
        defer { parked = [] }
        return parked.map(\.worker)
    }

    /// Takes out what waits no longer or not for longer.
    package mutating func removeWaiting(where condition: (Job) -> Bool) -> [Job] {
        let removed = waiting.filter(condition)
        if !removed.isEmpty { waiting.removeAll(where: condition) }
        return removed
    }

    package var firstWaiting: Job? { waiting.first }
}
