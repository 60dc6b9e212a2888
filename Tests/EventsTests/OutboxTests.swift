import Persistence
import Events
import Kernel
import TestKit
import Testing

@Suite("The outbox")
struct OutboxTests {
    @Test("gives out events in their order until they are removed", arguments: Engine.available)
    func keepsOrder(engine: Engine) async throws {
        try await withTestDatabase(engine) { database in
            let clock = ManualClock()
            let outbox = Outbox()
            var events: [DomainEvent] = []
            for number in 1...3 {
                clock.advance(by: .seconds(1))
                let event = DomainEvent(
                    id: clock.effects.id(),
                    kind: "test.\(number)",
                    organization: number == 2 ? nil : clock.effects.id(),
                    payload: "payload ä \(number)",
                    at: clock.now
                )
                events.append(event)
                try await database.write { tx in try outbox.publish(event, in: tx) }
            }

            let first = try await database.read { tx in try outbox.pending(limit: 2, in: tx) }
            let removals = [
                try await database.write { [id = events[0].id] tx in try outbox.remove(id, in: tx) },
                try await database.write { [id = events[0].id] tx in try outbox.remove(id, in: tx) },
            ]
            let rest = try await database.read { tx in try outbox.pending(limit: 10, in: tx) }

            #expect(first == Array(events[..<2]))
            #expect(removals == [true, false])
            #expect(rest == Array(events[1...]))
        }
    }

    @Test("forgets an event whose change was rolled back", arguments: Engine.available)
    func rollsBack(engine: Engine) async throws {
        try await withTestDatabase(engine) { database in
            let clock = ManualClock()
            let event = DomainEvent(
                id: clock.effects.id(),
                kind: "test",
                organization: nil,
                payload: "",
                at: clock.now
            )

            await #expect(throws: ServiceError.self) {
                try await database.write { tx in
                    try Outbox().publish(event, in: tx)
                    throw ServiceError(.conflict, "refused")
                }
            }

            let pending = try await database.read { tx in try Outbox().pending(limit: 10, in: tx) }
            #expect(pending.isEmpty)
        }
    }
}
