import Events
import Jobs
import Kernel
import Persistence
import Telemetry
import TestKit

/// A database with events in it, a clock that the test moves, and a runner as one process has it.
struct EventBench: Sendable {
    let database: Database
    let clock = ManualClock()
    let log = LogRecorder()
    let metrics = MetricsRegistry()

    func publish(_ kind: String, _ payload: String = "", organization: OrganizationID? = nil) async throws
        -> DomainEvent
    {
        clock.advance(by: .milliseconds(1))
        let event = DomainEvent(
            id: clock.effects.id(),
            kind: kind,
            organization: organization,
            payload: payload,
            at: clock.now
        )
        try await database.write { tx in try Outbox().publish(event, in: tx) }
        return event
    }

    /// A process of the installation; the schedule is in the database already when it is not the first.
    func runner(
        _ subscriptions: [EventSubscription],
        metrics: MetricsRegistry? = nil,
        concurrency: Int = 4
    ) async throws -> JobRunner {
        let queue = JobQueue(effects: clock.effects)
        try await database.write { tx in try EventDispatcher.schedule(with: queue, in: tx) }
        let dispatcher = EventDispatcher(
            database: database,
            effects: clock.effects,
            subscriptions: subscriptions,
            metrics: metrics ?? self.metrics
        )
        var limits = JobRunner.Limits()
        limits.concurrency = concurrency
        return JobRunner(
            database: database,
            effects: clock.effects,
            clock: SleepClock(),
            kinds: dispatcher.jobs,
            limits: limits,
            log: Logger(to: log, minimum: .debug, now: clock.effects.now)
        )
    }

    /// Runs what is due until nothing is.
    func settle(_ runner: JobRunner) async throws {
        while try await runner.runDue() > 0 {}
    }

    /// The kinds of the events that wait in the outbox.
    func waiting() async throws -> [String] {
        try await database.read { tx in try Outbox().pending(limit: 1000, in: tx).map(\.kind) }
    }

    /// Jobs other than the schedule: their kinds, attempts, and whether they were given up.
    func deliveries() async throws -> [String] {
        try await database.read { tx in
            try tx.all(
                "SELECT kind, attempt, failed_at FROM jobs WHERE kind <> 'events.dispatch' ORDER BY kind, id"
            ) { row in "\(try row.text(0)) \(try row.int(1))\(row.isNull(2) ? "" : " failed")" }
        }
    }
}

func withEventBench(_ engine: Engine, _ body: (EventBench) async throws -> Void) async throws {
    try await withTestDatabase(engine) { database in
        try await body(EventBench(database: database))
    }
}

/// A subscriber that notes what it was given, and fails as often as it is told to.
final class Listener: Sendable {
    private struct State {
        var failures: Int
        var events: [DomainEvent] = []
    }

    private let state: Locked<State>

    init(failures: Int = 0) {
        state = Locked(State(failures: failures))
    }

    /// What it was given, whether it took it or not.
    var events: [DomainEvent] { state.withLock { $0.events } }

    func subscription(
        _ name: String,
        to kinds: Set<String>,
        retry: RetryPolicy = RetryPolicy(attempts: 3, base: .seconds(10), cap: .seconds(60))
    ) -> EventSubscription {
        EventSubscription(name, to: kinds, retry: retry) { event in
            let fails = self.state.withLock { state in
                state.events.append(event)
                state.failures -= 1
                return state.failures >= 0
            }
            if fails { throw NotNow() }
        }
    }
}

struct NotNow: Error {}
