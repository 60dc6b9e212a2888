import Jobs
import Kernel
import Persistence

/// Replaces events of the outbox by the jobs that deliver them, oldest first.
///
/// One row is its schedule, so one server of an installation does this at a time. Should a lease have ended while its
/// holder still works, two may; then the one that deletes the event makes its jobs.
struct DispatchEventsJob: Job {
    static let kind = "events.dispatch"
    static let retry = RetryPolicy(attempts: .max, base: .seconds(1), cap: .seconds(60))

    /// How many events one transaction takes.
    static let batch = 100
    /// How many batches one run takes, so that a stop does not wait for the end of a long queue.
    static let batches = 20
    /// The wait after a run that found events: more may come.
    static let busy = Duration.seconds(1)
    /// The wait after one that found none: two small commits in so much time is what waiting costs.
    static let idle = Duration.seconds(5)

    private let database: Database
    private let effects: Effects
    private let queue: JobQueue
    private let subscribers: [String: [EventSubscription]]
    private let metrics: EventMetrics
    private let outbox = Outbox()

    init(database: Database, effects: Effects, subscriptions: [EventSubscription], metrics: EventMetrics) {
        self.database = database
        self.effects = effects
        self.metrics = metrics
        queue = JobQueue(effects: effects)
        var subscribers: [String: [EventSubscription]] = [:]
        for subscription in subscriptions {
            for kind in subscription.kinds { subscribers[kind, default: []].append(subscription) }
        }
        self.subscribers = subscribers
    }

    func run(_ payload: NoPayload, _ context: JobContext) async throws -> JobOutcome {
        var found = 0
        for _ in 0..<Self.batches {
            try Task.checkCancellation()
            let count = try await dispatchBatch()
            found += count
            guard count == Self.batch else { return .again(after: found == 0 ? Self.idle : Self.busy) }
        }
        return .again(after: .zero)
    }

    /// Hands over the oldest events.
    ///
    /// - Returns: how many there were; a full batch says that there may be more.
    private func dispatchBatch() async throws -> Int {
        let events = try await database.read { [outbox] tx in try outbox.pending(limit: Self.batch, in: tx) }
        guard !events.isEmpty else { return 0 }
        let taken = try await database.write { [outbox] tx in
            try events.filter { event in
                guard try outbox.remove(event.id, in: tx) else { return false }
                try Failpoint.reach(.outboxRemoved)
                for subscription in subscribers[event.kind] ?? [] {
                    // Due when it happened, which puts the jobs into the order of the events.
                    let payload = EventText.encode(event)
                    try queue.enqueue(kind: subscription.jobKind, payload: payload, due: event.at, in: tx)
                }
                return true
            }
        }
        try Failpoint.reach(.outboxDispatched)
        let now = effects.now()
        for event in taken { metrics.dispatched(after: now.since(event.at)) }
        return events.count
    }
}
