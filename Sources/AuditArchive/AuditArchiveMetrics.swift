import Telemetry

/// What is counted of events on their way to the archive.
struct AuditArchiveMetrics: Sendable {
    private let copied: Counter
    private let waiting: Gauge

    init(registry: MetricsRegistry) {
        copied = registry.counter(
            "cairn_audit_copied_total",
            "Events of the audit log that were copied to the archive."
        )
        waiting = registry.gauge(
            "cairn_audit_copy_waiting",
            "Events of the audit log that are not in the archive yet."
        )
    }

    func copied(_ events: Int) {
        copied.increment(by: events)
    }

    func waiting(_ events: Int) {
        waiting.set(events)
    }
}
