package import Jobs
package import Kernel
package import Persistence
package import Telemetry

/// Takes events out of the outbox and brings them to everyone who subscribed, at least once.
///
/// `DispatchEventsJob` replaces each event by one job for each subscriber, in one transaction. Whatever can go wrong
/// after that is the business of that job alone: a subscriber that fails neither holds up the others nor the events
/// behind it, and leases, retries and the end of patience are those of all jobs. An event that nobody subscribed to is
/// delivered by being taken out.
package struct EventDispatcher: Sendable {
    /// What the runner of jobs has to know.
    package let jobs: [JobRunner.Kind]

    package init(
        database: Database,
        effects: Effects,
        subscriptions: [EventSubscription],
        metrics: MetricsRegistry
    ) {
        let names = subscriptions.map(\.name)
        precondition(Set(names).count == names.count, "two subscriptions have one name: \(names)")
        let metrics = EventMetrics(registry: metrics, subscribers: names)
        let dispatch = DispatchEventsJob(
            database: database,
            effects: effects,
            subscriptions: subscriptions,
            metrics: metrics
        )
        jobs =
            [JobRunner.Kind(dispatch)]
            + subscriptions.map { subscription in
                let delivery = EventDelivery(subscription: subscription, metrics: metrics)
                return JobRunner.Kind(
                    name: subscription.jobKind,
                    retry: subscription.retry,
                    run: delivery.run
                )
            }
    }

    /// Puts the schedule of the dispatcher into the database, unless it is there.
    package static func schedule(with queue: JobQueue, in tx: Transaction) throws {
        try queue.schedule(DispatchEventsJob.self, in: tx)
    }
}
