import Kernel
import Persistence
import Synchronization

/// The part of a closure's life that a cancelled task can reach.
final class Ticket: Sendable {
    private let flag = Atomic<Bool>(false)

    var isCancelled: Bool { flag.load(ordering: .acquiring) }

    func cancel() {
        flag.store(true, ordering: .releasing)
    }
}

/// A closure that waits for a connection's thread.
///
/// Exactly one of its work and `refuse` answers the caller: whoever takes it out of `WaitingJobs`.
protocol Job: Sendable {
    var ticket: Ticket { get }
    var deadline: ContinuousClock.Instant { get }
    /// Whether it may share a turn with others.
    var isShared: Bool { get }
    var refuse: @Sendable (any Error) -> Void { get }
}

/// Closures that wait, first in, first out: bounded, each with a deadline.
final class WaitingJobs<Item: Job>: Sendable {
    private struct State: Sendable {
        var items: [Item] = []
        /// Counts all that were ever added; each item has the number it got then.
        var added: UInt64 = 0
        var numbers: [UInt64] = []
        var head = 0
        var isStopped = false

        var count: Int { items.count - head }

        mutating func append(_ item: Item) {
            added += 1
            items.append(item)
            numbers.append(added)
        }

        /// The first closure, and those behind it that may share its turn.
        mutating func take(_ limit: Int) -> [Item]? {
            guard count > 0 else { return isStopped ? [] : nil }
            var end = head + 1
            if items[head].isShared {
                while end < items.count, end - head < limit, items[end].isShared { end += 1 }
            }
            let taken = Array(items[head..<end])
            advance(to: end)
            return taken
        }

        /// The first closure if it was added no later than a certain one.
        mutating func take(upTo number: UInt64) -> Item? {
            guard count > 0, numbers[head] <= number else { return nil }
            let item = items[head]
            advance(to: head + 1)
            return item
        }

        private mutating func advance(to index: Int) {
            head = index
            if head == items.count {
                items.removeAll(keepingCapacity: true)
                numbers.removeAll(keepingCapacity: true)
                head = 0
            } else if head > 64, head * 2 > items.count {
                items.removeFirst(head)
                numbers.removeFirst(head)
                head = 0
            }
        }

        mutating func remove(where condition: (Item) -> Bool) -> [Item] {
            let removed = items[head...].filter(condition)
            guard !removed.isEmpty else { return [] }
            let kept = (head..<items.count).filter { !condition(items[$0]) }
            numbers = kept.map { numbers[$0] }
            items = kept.map { items[$0] }
            head = 0
            return removed
        }
    }

    private let limit: Int
    private let monitor = Monitor(State())

    init(limit: Int) {
        self.limit = limit
    }

    var count: Int {
        monitor.withLock { $0.count }
    }

    /// Lets a closure wait, or refuses it at once.
    ///
    /// - Returns: whether it waits.
    @discardableResult
    func add(_ item: Item) -> Bool {
        let refusal = monitor.withLock { state -> (any Error)? in
            if item.ticket.isCancelled { return CancellationError() }
            if state.isStopped { return DatabaseError.unavailable("the database is closed") }
            if state.count >= limit { return DatabaseError.unavailable("the database has too much to do") }
            state.append(item)
            return nil
        }
        if let refusal {
            item.refuse(refusal)
            return false
        }
        monitor.signal()
        return true
    }

    /// Waits for work; empty when there will be no more.
    func take(_ limit: Int) -> [Item] {
        monitor.wait { $0.take(limit) }
    }

    /// Tells what has been added by now, for `take(upTo:)`.
    var newest: UInt64 {
        monitor.withLock { $0.added }
    }

    /// The first closure that waits, if it was added no later than `newest` said; nil at once otherwise.
    func take(upTo number: UInt64) -> Item? {
        monitor.withLock { $0.take(upTo: number) }
    }

    /// Takes the closure of a cancelled task out, if it still waits.
    func cancel(_ ticket: Ticket) {
        ticket.cancel()
        let removed = monitor.withLock { $0.remove { $0.ticket === ticket } }
        for item in removed { item.refuse(CancellationError()) }
    }

    /// Refuses what has waited too long, and says how many that were.
    func expire(at now: ContinuousClock.Instant) -> Int {
        let removed = monitor.withLock { $0.remove { $0.deadline < now } }
        for item in removed { item.refuse(DatabaseError.unavailable("the database is too busy")) }
        return removed.count
    }

    /// Refuses what comes from now on; what waits is still done.
    func stop() {
        monitor.withLock { $0.isStopped = true }
        monitor.broadcast()
    }
}

/// The end of a thread, to wait for.
final class ThreadEnd: Sendable {
    private struct State: Sendable {
        var isOver = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Locked(State())

    func signal() {
        let waiting = state.withLock { state in
            state.isOver = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if !state.isOver { state.waiting.append(continuation) }
                return state.isOver
            }
            if isOver { continuation.resume() }
        }
    }
}
