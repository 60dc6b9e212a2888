import Kernel
import Persistence
import Server
import TestKit
import Testing

@Suite("The check of the database")
struct DatabaseCheckTests {
    @Test("passes where reads and writes do", arguments: Engine.available)
    func passes(engine: Engine) async throws {
        try await withTestDatabase(engine) { database in
            let check = DatabaseCheck(database: database, effects: ManualClock().effects)

            try await check.run()
            try await check.run()
        }
    }

    @Test("fails where writes are refused, says so to everybody, and passes again a second after they are not")
    func readOnly() async throws {
        try await withTestDatabase(.sqlite) { database in
            let clock = ManualClock()
            let disk = ReadOnlyDisk()
            let driver = FailingDatabase(base: database, failure: disk.failure)
            let check = DatabaseCheck(database: Database(driver: driver), effects: clock.effects)

            for _ in 0..<3 { await #expect(throws: ServiceError.self) { try await check.run() } }
            let writesAtOnce = disk.writes
            disk.repair()
            await #expect(throws: ServiceError.self) { try await check.run() }
            clock.advance(by: .seconds(1))
            try await check.run()

            #expect(writesAtOnce == 1)
            #expect(disk.writes == 2)
        }
    }
}

/// Lets writes fail, as a full or damaged disk does, and counts them.
private final class ReadOnlyDisk: Sendable {
    private let state = Locked((isReadOnly: true, writes: 0))

    var writes: Int { state.withLock { $0.writes } }

    func repair() {
        state.withLock { $0.isReadOnly = false }
    }

    func failure() -> FailingDatabase.Failure? {
        state.withLock { state in
            state.writes += 1
            return state.isReadOnly ? .refused : nil
        }
    }
}
