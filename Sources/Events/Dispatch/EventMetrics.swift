import Telemetry

/// What is counted of events on their way to subscribers.
struct EventMetrics: Sendable {
    /// How handing one event to one subscriber ended.
    enum Outcome: String, CaseIterable {
        case delivered
        /// It is tried again.
        case failed
        /// It is not tried again.
        case setAside = "set_aside"
    }

    private let delay: Histogram
    private let deliveries: Labelled<Counter>

    init(registry: MetricsRegistry, subscribers: [String]) {
        delay = registry.histogram(
            "cairn_event_dispatch_delay_seconds",
            "Time from a change to the dispatch of its event.",
            .latency
        )
        deliveries = registry.counter(
            "cairn_event_deliveries_total",
            "Attempts to hand an event to a subscriber, by how they ended.",
            by: Label("subscriber", subscribers),
            Label("outcome", Outcome.allCases.map(\.rawValue))
        )
    }

    func dispatched(after delay: Duration) {
        self.delay.observe(delay)
    }

    func delivered(to subscriber: String, _ outcome: Outcome) {
        deliveries[subscriber, outcome.rawValue].increment()
    }
}
