import Events
import Jobs
import Kernel
import Persistence
import Server
import Telemetry
import TestKit
import Testing

@Suite("The application")
struct ApplicationTests {
    @Test("takes events out of the outbox, whether it is started once or several times", arguments: Engine.available)
    func dispatchesEvents(engine: Engine) async throws {
        try await withTestDatabase(engine) { database in
            try await TestFolder.with { folder in
                let clock = ManualClock()
                let objects = try objectStore(in: folder)
                let foundation = foundation(database, effects: clock.effects, objects: objects)
                for _ in 0..<3 { try await Application.schedule(foundation) }
                for kind in ["stack.created", "of.another.release"] {
                    let event = DomainEvent(
                        id: clock.effects.id(),
                        kind: kind,
                        organization: nil,
                        payload: "",
                        at: clock.now
                    )
                    try await database.write { tx in try Outbox().publish(event, in: tx) }
                }
                let runner = JobRunner(
                    database: database,
                    effects: clock.effects,
                    clock: ContinuousClock(),
                    kinds: Application(foundation, log: .silent, metrics: MetricsRegistry()).jobs,
                    log: .silent
                )

                while try await runner.runDue() > 0 {}

                #expect(try await database.read { tx in try Outbox().pending(limit: 10, in: tx) }.isEmpty)
                let schedules = try await database.read { tx in
                    try tx.count("SELECT COUNT(*) FROM jobs WHERE kind = 'events.dispatch' AND failed_at IS NULL")
                }
                #expect(schedules == 1)
            }
        }
    }
}
