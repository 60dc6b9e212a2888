import Persistence
import PersistenceSQLite
import TestKit
import Testing

@Suite("SQLite: waiting for a turn")
struct QueueTests {
    @Test("is refused at once when too many wait already")
    func full() async throws {
        try await SQLiteFixture.with({ $0.queueLimit = 4 }) { _, driver in
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await driver.whileWriterIsHeld {
                    for id in 0..<4 {
                        group.addTask { try await driver.insert(id) }
                    }
                    #expect(await eventually { driver.statistics.waitingWrites == 4 })

                    let start = ContinuousClock.now
                    await #expect(throws: DatabaseError.self) { try await driver.insert(99) }
                    #expect(start.duration(to: .now) < .seconds(50))
                }
                try await group.waitForAll()
            }

            #expect(try await driver.ids() == [0, 1, 2, 3])
        }
    }

    @Test("ends at its deadline although the writer is stuck")
    func deadline() async throws {
        try await SQLiteFixture.with({ $0.queueTimeout = .seconds(8) }) { _, driver in
            try await driver.whileWriterIsHeld {
                let start = ContinuousClock.now

                await #expect(throws: DatabaseError.self) { try await driver.insert(1) }

                let time = start.duration(to: .now)
                #expect(time >= .seconds(8) && time < .seconds(60))
            }

            // Counted a moment after the answer.
            #expect(await eventually { driver.statistics.expired == 1 })
            #expect(try await driver.ids() == [])
        }
    }

    @Test("leaves the queue when its task is cancelled")
    func cancelled() async throws {
        try await SQLiteFixture.with { _, driver in
            let error = try await withThrowingTaskGroup(of: (any Error)?.self) { group in
                try await driver.whileWriterIsHeld {
                    group.addTask {
                        do {
                            try await driver.insert(1)
                            return nil
                        } catch {
                            return error
                        }
                    }
                    #expect(await eventually { driver.statistics.waitingWrites == 1 })
                    group.cancelAll()
                    #expect(await eventually { driver.statistics.waitingWrites == 0 })
                }
                return try await group.next() ?? nil
            }

            #expect(error is CancellationError)
            #expect(try await driver.ids() == [])
        }
    }

    @Test("of a read that takes too long ends in an error, and the connection is good for more")
    func slowRead() async throws {
        try await SQLiteFixture.with({
            $0.readTimeout = .seconds(5)
            $0.readers = 1
        }) { _, driver in
            let start = ContinuousClock.now

            let error = await thrown { _ = try await driver.read { try $0.count(endless) } }
            let time = start.duration(to: .now)
            let next = try await driver.read { try $0.count("SELECT 5") }

            #expect("\(String(describing: error))".contains("the read took too long"))
            #expect(time >= .seconds(5) && time < .seconds(50))
            #expect(next == 5)
            #expect(driver.statistics.interruptedReads >= 1)
        }
    }

    @Test("ends when another process holds the file for too long, and succeeds when it lets go")
    func busy() async throws {
        try await SQLiteFixture.with({ $0.busyTimeout = .milliseconds(100) }) { fixture, driver in
            let other = try await fixture.openBeside()
            let database = Database(driver: driver, attempts: 3) { _ in }

            try await other.whileWriterIsHeld {
                let direct = await thrown { try await driver.insert(1) }
                let retried = await thrown {
                    try await database.write { _ = try $0.execute("DELETE FROM items") }
                }
                #expect(direct.kind == "retryable")
                #expect("\(String(describing: retried))".contains("unavailable"))
            }
            try await driver.insert(2)
            await other.close()

            #expect(driver.statistics.busy == 4)
            #expect(try await driver.ids() == [2])
        }
    }

    private let endless: SQL = """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n
        """

    private func thrown(_ body: () async throws -> Void) async -> (any Error)? {
        do {
            try await body()
            return nil
        } catch {
            return error
        }
    }
}
