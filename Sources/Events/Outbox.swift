package import Kernel
package import Persistence

/// Something that happened and that others react to: webhooks, indexes, notifications.
package struct DomainEvent: Sendable, Equatable {
    package var id: DomainEventID
    /// A stable word such as `stack.created`.
    package var kind: String
    package var organization: OrganizationID?
    /// The id of what it happened to, never a copy of a row.
    package var payload: String
    package var at: Timestamp

    package init(id: DomainEventID, kind: String, organization: OrganizationID?, payload: String, at: Timestamp) {
        self.id = id
        self.kind = kind
        self.organization = organization
        self.payload = payload
        self.at = at
    }
}

/// Domain events, written in the transaction of the change and handed out afterwards, at least once.
///
/// `EventDispatcher` takes them out in order and lets every subscriber act; each one recognizes an event by its id.
package struct Outbox: Sendable {
    package init() {}

    /// Writes an event with the change it belongs to.
    package func publish(_ event: DomainEvent, in tx: Transaction) throws {
        try tx.insert(
            into: "domain_events",
            [
                "id": event.id, "kind": event.kind, "organization_id": event.organization, "payload": event.payload,
                "created_at": event.at,
            ]
        )
        try Failpoint.reach(.outboxPublished)
    }

    /// The oldest events that were not dispatched yet.
    package func pending(limit: Int, in tx: Transaction) throws -> [DomainEvent] {
        try tx.all(
            "SELECT id, kind, organization_id, payload, created_at FROM domain_events ORDER BY id LIMIT \(limit)"
        ) { row in
            DomainEvent(
                id: try row.id(0),
                kind: try row.text(1),
                organization: try row.optional(2) { row in { try row.id($0) } },
                payload: try row.text(3),
                at: try row.timestamp(4)
            )
        }
    }

    /// Takes an event out; false when somebody else has.
    package func remove(_ id: DomainEventID, in tx: Transaction) throws -> Bool {
        try tx.execute("DELETE FROM domain_events WHERE id = \(id)") == 1
    }
}
