import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The queue behind `DedicatedThread` and `BlockingPool`: first in, first out, bounded, with a deadline for each item.
///
/// SAFETY: `@unchecked` because of `lock` and `wakeUp`, which are heap storage of their own; everything else that
/// changes is `state`, touched only with `lock` held.
final class WorkQueue: @unchecked Sendable {
    /// One closure that waits.
    ///
    /// `claim` makes sure that exactly one of thread, deadline and cancellation answers it.
    private final class Item: Sendable {
        let deadline: ContinuousClock.Instant
        let work: @Sendable () -> Void
        let refuse: @Sendable (any Error) -> Void
        private let claimed = Atomic<Bool>(false)

        init(
            deadline: ContinuousClock.Instant,
            work: @escaping @Sendable () -> Void,
            refuse: @escaping @Sendable (any Error) -> Void
        ) {
            self.deadline = deadline
            self.work = work
            self.refuse = refuse
        }

        func claim() -> Bool {
            claimed.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        }
    }

    private struct State {
        /// Empty where an item was taken, so that what it holds is given back at once.
        var items: [Item?] = []
        var head = 0
        var isStopped = false

        var waiting: Int { items.count - head }

        mutating func popFirst() -> Item? {
            guard head < items.count else { return nil }
            let item = items[head]
            items[head] = nil
            head += 1
            if head > 64, head * 2 > items.count {
                items.removeFirst(head)
                head = 0
            }
            return item
        }
    }

    private let name: String
    private let limit: Int
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let wakeUp: UnsafeMutablePointer<pthread_cond_t>
    private var state = State()

    init(name: String, limit: Int) {
        self.name = name
        self.limit = limit
        lock = .allocate(capacity: 1)
        lock.initialize(to: pthread_mutex_t())
        pthread_mutex_init(lock, nil)
        wakeUp = .allocate(capacity: 1)
        wakeUp.initialize(to: pthread_cond_t())
        pthread_cond_init(wakeUp, nil)
    }

    deinit {
        pthread_cond_destroy(wakeUp)
        pthread_mutex_destroy(lock)
        wakeUp.deallocate()
        lock.deallocate()
    }

    func run<T: Sendable>(deadline: Duration, _ work: @escaping @Sendable () throws -> T) async throws -> T {
        let cancelled = CancelSlot()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<T, any Error>) in
                let item = Item(
                    deadline: .now + deadline,
                    work: { continuation.resume(with: Result { try work() }) },
                    refuse: { continuation.resume(throwing: $0) }
                )
                cancelled.set { if item.claim() { item.refuse(CancellationError()) } }
                enqueue(item)
            }
        } onCancel: {
            cancelled.fire()
        }
    }

    func stop() {
        pthread_mutex_lock(lock)
        state.isStopped = true
        pthread_cond_broadcast(wakeUp)
        pthread_mutex_unlock(lock)
    }

    func startThread(name: String, priority: NamedThread.Priority = .normal) {
        NamedThread.start(name: name, priority: priority) { [self] in
            while let item = next() {
                guard item.claim() else { continue }
                if item.deadline < .now {
                    item.refuse(ServiceError.unavailable("\(self.name) is too busy; try again"))
                } else {
                    item.work()
                }
            }
        }
    }

    private func enqueue(_ item: Item) {
        pthread_mutex_lock(lock)
        let refusal: ServiceError? =
            if state.isStopped {
                .unavailable("\(name) is stopping; try again")
            } else if state.waiting >= limit {
                .unavailable("\(name) has too much to do; try again")
            } else {
                nil
            }
        if refusal == nil {
            state.items.append(item)
            pthread_cond_signal(wakeUp)
        }
        pthread_mutex_unlock(lock)
        if let refusal, item.claim() { item.refuse(refusal) }
    }

    /// The next item, or nil when the queue is stopped and empty.
    ///
    /// Blocks.
    private func next() -> Item? {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while true {
            if let item = state.popFirst() { return item }
            if state.isStopped { return nil }
            pthread_cond_wait(wakeUp, lock)
        }
    }
}

/// Where a cancellation meets the continuation it must answer, whichever comes first.
private final class CancelSlot: Sendable {
    private enum Phase {
        case empty
        case armed(@Sendable () -> Void)
        case fired
    }

    private let phase = Locked(Phase.empty)

    func set(_ action: @escaping @Sendable () -> Void) {
        let alreadyFired = phase.withLock { phase in
            if case .fired = phase { return true }
            phase = .armed(action)
            return false
        }
        if alreadyFired { action() }
    }

    func fire() {
        let action = phase.withLock { phase -> (@Sendable () -> Void)? in
            defer { phase = .fired }
            if case .armed(let action) = phase { return action }
            return nil
        }
        action?()
    }
}
