import Events
import Kernel
import Persistence
import TestKit
import Testing

@Suite("How far the audit log was copied")
struct AuditCopiesTests {
    /// Two chains of five events and one of the server with a single one.
    private func withChains(
        _ engine: Engine,
        _ body: (Database, ManualClock, [AuditEvent.Scope]) async throws -> Void
    ) async throws {
        try await withTestDatabase(engine) { database in
            let clock = ManualClock()
            let log = AuditLog(effects: clock.effects)
            let scopes: [AuditEvent.Scope] = [
                .organization(clock.effects.id()), .organization(clock.effects.id()), .server,
            ]
            for scope in scopes {
                for _ in 0..<(scope == .server ? 1 : 5) {
                    clock.advance(by: .seconds(1))
                    let now = clock.now
                    try await database.write { tx in
                        try log.append(.stackCreated, on: "s", in: scope, by: .system("test"), at: now, tx: tx)
                    }
                }
            }
            try await body(database, clock, scopes)
        }
    }

    private func behind(_ database: Database, _ destination: String = "a") async throws -> [AuditCopies.Lag] {
        try await database.read { tx in try AuditCopies().behind(at: destination, limit: 10, in: tx) }
    }

    private func advance(
        _ scope: AuditEvent.Scope,
        to sequence: Int64,
        _ database: Database,
        _ clock: ManualClock
    ) async throws {
        clock.advance(by: .seconds(1))
        let now = clock.now
        try await database.write { tx in
            let start = AuditCopies.Mark(scope, sequence: 0, hash: [])
            let records = try AuditCopies().events(behind: start, limit: Int(sequence), in: tx)
            let mark = AuditCopies.Mark(scope, sequence: sequence, hash: records.last?.hash ?? [])
            try AuditCopies().advance(mark, at: "a", now: now, in: tx)
        }
    }

    @Test("begins at the first event of each chain, for each destination", arguments: Engine.available)
    func begins(engine: Engine) async throws {
        try await withChains(engine) { database, clock, scopes in
            let lags = try await behind(database)
            for scope in scopes { try await advance(scope, to: scope == .server ? 1 : 5, database, clock) }

            #expect(Set(lags.map(\.mark.scope)) == Set(scopes))
            #expect(lags.allSatisfy { $0.mark.sequence == 0 && $0.mark.hash == Array(repeating: 0, count: 32) })
            #expect(lags.map(\.events).sorted() == [1, 5, 5])
            #expect(try await behind(database).isEmpty)
            #expect(try await behind(database, "b").count == 3)
        }
    }

    @Test("goes on behind the mark, with what was copied the longest time ago first", arguments: Engine.available)
    func goesOn(engine: Engine) async throws {
        try await withChains(engine) { database, clock, scopes in
            try await advance(scopes[1], to: 2, database, clock)
            try await advance(scopes[0], to: 4, database, clock)

            let lags = try await behind(database)
            let first = try #require(lags.dropFirst().first?.mark)
            let records = try await database.read { tx in try AuditCopies().events(behind: first, limit: 2, in: tx) }

            #expect(lags.map(\.mark.scope) == [.server, scopes[1], scopes[0]])
            #expect(lags.map(\.mark.sequence) == [0, 2, 4])
            #expect(lags.map(\.events) == [1, 3, 1])
            #expect(records.map(\.event.sequence) == [3, 4])
            #expect(records.allSatisfy { $0.event.scope == scopes[1] })
        }
    }

    @Test("never moves a mark back", arguments: Engine.available)
    func staysAhead(engine: Engine) async throws {
        try await withChains(engine) { database, clock, scopes in
            try await advance(scopes[0], to: 4, database, clock)
            let before = try await behind(database).first { $0.mark.scope == scopes[0] }

            try await advance(scopes[0], to: 2, database, clock)

            #expect(try await behind(database).first { $0.mark.scope == scopes[0] } == before)
            #expect(before?.mark.sequence == 4)
        }
    }

    @Test("does not guess what a chain is that nothing is called by")
    func refusesStrangers() async throws {
        try await withChains(.sqlite) { database, _, _ in
            _ = try await database.write { tx in
                try tx.execute("UPDATE audit_chains SET scope = 'nobody' WHERE scope = 'server'")
            }

            let error = await #expect(throws: ServiceError.self) { try await behind(database) }

            #expect(error?.message.contains("'nobody'") == true)
        }
    }
}
