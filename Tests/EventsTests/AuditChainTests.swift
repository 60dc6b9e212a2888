import Events
import Kernel
import Persistence
import TestKit
import Testing

@Suite("The chain of audit events")
struct AuditChainTests {
    @Test("holds as it was written", arguments: Engine.available)
    func holds(engine: Engine) async throws {
        try await withChain(engine) { bench in
            let own = try await bench.firstBreak()
            let server = try await bench.firstBreak(in: .server)
            let other = try await bench.firstBreak(in: .organization(bench.id()))

            #expect(own == nil && server == nil && other == nil)
        }
    }

    @Test("shows where the past was changed", arguments: Engine.available)
    func showsChanges(engine: Engine) async throws {
        let changes: [(SQL, Int64)] = [
            ("UPDATE audit_events SET action_slug = 'stack-deleted' WHERE sequence = 2", 2),
            ("UPDATE audit_events SET actor_login = 'eve' WHERE sequence = 3", 3),
            ("UPDATE audit_events SET actor_kind = 'system' WHERE sequence = 3", 3),
            ("UPDATE audit_events SET source_address = NULL WHERE sequence = 1", 1),
            ("UPDATE audit_events SET source_address = '192.0.2.9' WHERE sequence = 1", 1),
            ("UPDATE audit_events SET subject = 'acme/site/other' WHERE sequence = 4", 4),
            ("UPDATE audit_events SET details = '' WHERE sequence = 1", 1),
            ("UPDATE audit_events SET created_at = created_at + 1 WHERE sequence = 5", 5),
            ("DELETE FROM audit_events WHERE sequence = 1", 1),
            ("DELETE FROM audit_events WHERE sequence = 3", 3),
            ("DELETE FROM audit_events WHERE sequence = 5", 5),
            ("DELETE FROM audit_events WHERE sequence > 3", 4),
            ("DELETE FROM audit_events", 1),
        ]
        for (change, place) in changes {
            try await withChain(engine) { bench in
                let count = try await bench.database.write { tx in try tx.execute(change) }
                #expect(count > 0)

                #expect(try await bench.firstBreak() == place, "after \(change)")
            }
        }
    }

    @Test("shows that two events have changed places", arguments: Engine.available)
    func showsSwaps(engine: Engine) async throws {
        try await withChain(engine) { bench in
            _ = try await bench.database.write { tx in
                try tx.execute("UPDATE audit_events SET sequence = 99 WHERE sequence = 2")
                try tx.execute("UPDATE audit_events SET sequence = 2 WHERE sequence = 4")
                try tx.execute("UPDATE audit_events SET sequence = 4 WHERE sequence = 99")
            }

            #expect(try await bench.firstBreak() == 2)
        }
    }

    @Test("shows that its head was turned back with its tail", arguments: Engine.available)
    func showsTurnedHead(engine: Engine) async throws {
        try await withChain(engine) { bench in
            _ = try await bench.database.write { tx in
                try tx.execute("UPDATE audit_chains SET sequence = 4")
            }

            #expect(try await bench.firstBreak() == 6)
        }
    }

    @Test("begins with several first events at once, none of which has to be tried again", arguments: Engine.available)
    func begins(engine: Engine) async throws {
        try await withTestStore(engine) { store in
            let clock = ManualClock()
            let retries = Locked(0)
            let database = Database(driver: store.driver) { _ in retries.withLock { $0 += 1 } }
            let log = AuditLog(effects: clock.effects)

            for _ in 0..<20 {
                let scope = AuditEvent.Scope.organization(clock.effects.id())
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<6 {
                        group.addTask {
                            try await database.write { tx in
                                try log.append(
                                    .stackCreated,
                                    on: "acme/site/dev",
                                    in: scope,
                                    by: .system("test"),
                                    at: clock.now,
                                    tx: tx
                                )
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(try await database.read { tx in try log.firstBreak(in: scope, tx: tx) } == nil)
            }

            #expect(retries.withLock { $0 } == 0)
            #expect(try await database.read { tx in try tx.count("SELECT COUNT(*) FROM audit_events") } == 120)
        }
    }

    @Test("goes on after an event that was rolled back, without a gap", arguments: Engine.available)
    func rollsBack(engine: Engine) async throws {
        try await withChain(engine) { bench in
            await #expect(throws: Refused.self) {
                try await bench.append(details: []) { throw Refused() }
            }
            try await bench.append(details: [])

            #expect(try await bench.firstBreak() == nil)
            #expect(try await bench.count() == 6)
        }
    }

    @Test("keeps its order when many write at once", arguments: Engine.available)
    func serializes(engine: Engine) async throws {
        try await withChain(engine) { bench in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<16 { group.addTask { try await bench.append(details: []) } }
                try await group.waitForAll()
            }

            #expect(try await bench.firstBreak() == nil)
            #expect(try await bench.count() == 21)
        }
    }

    @Test("begins once when many write the first event", arguments: Engine.available)
    func beginsOnce(engine: Engine) async throws {
        try await withTestDatabase(engine) { database in
            let bench = AuditBench(database: database)

            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { try await bench.append(details: []) } }
                try await group.waitForAll()
            }

            #expect(try await bench.firstBreak() == nil)
            #expect(try await bench.count() == 8)
        }
    }

    @Test(
        "hashes details so that reading gives back what was written",
        arguments: [
            [("a", "b"), ("c", "d")], [("a=b", "c\nd")], [("\\", "\\n"), ("", "")], [("ä", "😀\u{0}=")],
            [("a", "b\\e=\\")],
        ]
    )
    func keepsDetails(details: [(String, String)]) async throws {
        for engine in Engine.available {
            try await withChain(engine) { bench in
                try await bench.append(details: details.map { AuditEvent.Detail($0.0, $0.1) })

                #expect(try await bench.firstBreak() == nil, "on \(engine)")
            }
        }
    }

    private struct Refused: Error {}
}

/// A chain with five events.
private func withChain(_ engine: Engine, _ body: (AuditBench) async throws -> Void) async throws {
    try await withTestDatabase(engine) { database in
        let bench = AuditBench(database: database)
        for number in 1...5 {
            try await bench.append(details: [AuditEvent.Detail("number", "\(number)")])
        }
        try await body(bench)
    }
}

private struct AuditBench: Sendable {
    let database: Database
    private let clock = ManualClock()
    private let scope: AuditEvent.Scope
    private let actor: Actor

    init(database: Database) {
        self.database = database
        let effects = clock.effects
        scope = .organization(effects.id())
        actor = Actor(
            kind: .user,
            userID: effects.id(),
            login: "dev",
            tokenID: effects.id(),
            sourceAddress: "192.0.2.7"
        )
    }

    func id() -> OrganizationID { clock.effects.id() }

    func append(
        details: [AuditEvent.Detail],
        then body: @escaping @Sendable () throws -> Void = {}
    ) async throws {
        clock.advance(by: .seconds(1))
        let log = AuditLog(effects: clock.effects)
        let now = clock.now
        try await database.write { [scope, actor] tx in
            try log.append(.stackCreated, on: "acme/site/dev", in: scope, by: actor, at: now, details: details, tx: tx)
            try body()
        }
    }

    func firstBreak(in scope: AuditEvent.Scope? = nil) async throws -> Int64? {
        let log = AuditLog(effects: clock.effects)
        return try await database.read { [own = self.scope] tx in try log.firstBreak(in: scope ?? own, tx: tx) }
    }

    func count() async throws -> Int {
        try await database.read { tx in try tx.count("SELECT COUNT(*) FROM audit_events") }
    }
}
