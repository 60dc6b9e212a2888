import Jobs
import Kernel
import Telemetry

/// Hands one event to one subscriber: the work of a job of kind `events.deliver.…`.
struct EventDelivery: Sendable {
    let subscription: EventSubscription
    let metrics: EventMetrics

    func run(_ payload: String, _ context: JobContext) async throws -> JobOutcome {
        guard let event = EventText.decode(payload) else { return .abandon("its payload is no event") }
        do {
            try await subscription.handle(event)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            let isLast = context.attempt >= subscription.retry.attempts
            metrics.delivered(to: subscription.name, isLast ? .setAside : .failed)
            if isLast {
                context.log.error(
                    "an event is set aside: its subscriber could not take it",
                    [
                        "subscriber": .text(subscription.name), "event": "\(event.id)", "kind": .text(event.kind),
                        "job": "\(context.id)", "attempts": .integer(context.attempt), "error": .error(error),
                    ]
                )
            }
            throw error
        }
        metrics.delivered(to: subscription.name, .delivered)
        return .done
    }
}

/// An event as the payload of a job, which outlives the event's row: a field a line, and the event's own payload last.
enum EventText {
    static func encode(_ event: DomainEvent) -> String {
        """
        \(event.id)
        \(event.kind)
        \(event.organization.map(\.description) ?? "")
        \(event.at.microseconds)
        \(event.payload)
        """
    }

    /// Nil for what `encode` did not make.
    static func decode(_ text: String) -> DomainEvent? {
        let fields = text.split(separator: "\n", maxSplits: 4, omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 5, let id = DomainEventID(fields[0]), let at = Int64(fields[3]) else { return nil }
        let organization = OrganizationID(fields[2])
        guard organization != nil || fields[2].isEmpty else { return nil }
        return DomainEvent(
            id: id,
            kind: fields[1],
            organization: organization,
            payload: fields[4],
            at: Timestamp(microseconds: at)
        )
    }
}
