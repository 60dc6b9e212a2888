import Foundation
import Kernel
import Persistence
import PersistenceMySQL
import Testing

@Suite("Migrations of a MySQL database")
struct MigrationLockTests {
    @Test("run one at a time, whichever process starts them", arguments: TestServer.allCases)
    func oneAtATime(server: TestServer) async throws {
        try await withDriver(server) { driver in
            let atOnce = Shared((now: 0, most: 0, all: 0))

            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<5 {
                    group.addTask {
                        try await driver.migrate { session in
                            atOnce.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1), $0.all + 1) }
                            try session.execute("DO SLEEP(0.05)")
                            atOnce.withLock { $0.now -= 1 }
                        }
                    }
                }
                try await group.waitForAll()
            }

            #expect(atOnce.withLock { $0.most } == 1)
            #expect(atOnce.withLock { $0.all } == 5)
        }
    }

    @Test("give up waiting for another one in time", arguments: TestServer.allCases)
    func waitEnds(server: TestServer) async throws {
        var limits = MySQLConfiguration.Limits.patient
        limits.migrationLock = .seconds(2)
        try await withDriver(server, limits: limits) { driver in
            let isRunning = DispatchSemaphore(value: 0)
            let mayEnd = DispatchSemaphore(value: 0)
            async let holder: Void = driver.migrate { _ in
                isRunning.signal()
                mayEnd.wait()
            }
            try await driver.waitFor(isRunning)

            let error = await failure(of: { try await driver.migrate { _ in } })
            mayEnd.signal()
            try await holder

            #expect((error as? DatabaseError)?.isUnavailable == true)
            try await driver.migrate { _ in }
        }
    }

    @Test(
        "change a table that a transaction uses once that has ended, and give up after as many tries as they may",
        arguments: TestServer.allCases,
        [0, 100]
    )
    func tableInUse(server: TestServer, retries: Int) async throws {
        var limits = MySQLConfiguration.Limits.patient
        limits.schemaLock = .seconds(1)
        limits.schemaLockRetries = retries
        try await withDriver(server, limits: limits) { driver in
            try await driver.createItems()
            let isReading = DispatchSemaphore(value: 0)
            let mayEnd = DispatchSemaphore(value: 0)
            async let reader: Void = driver.write { tx in
                _ = try tx.count("SELECT COUNT(*) FROM items")
                isReading.signal()
                mayEnd.wait()
            }
            try await driver.waitFor(isReading)
            if retries > 0 {
                Task.detached {
                    try await Task.sleep(for: .seconds(2.5))
                    mayEnd.signal()
                }
            }

            var refusal: (any Error)?
            do {
                try await driver.run("ALTER TABLE items ADD COLUMN age BIGINT")
            } catch {
                refusal = error
            }
            if retries == 0 { mayEnd.signal() }
            try await reader

            #expect((refusal as? DatabaseError)?.isRetryable == (retries == 0 ? true : nil))
        }
    }

    @Test("stop waiting when their task is cancelled", arguments: TestServer.allCases)
    func cancelled(server: TestServer) async throws {
        try await withDriver(server) { driver in
            let isRunning = DispatchSemaphore(value: 0)
            let mayEnd = DispatchSemaphore(value: 0)
            async let holder: Void = driver.migrate { _ in
                isRunning.signal()
                mayEnd.wait()
            }
            try await driver.waitFor(isRunning)

            let error = try await withThrowingTaskGroup(of: (any Error)?.self) { group in
                group.addTask { await failure(of: { try await driver.migrate { _ in } }) }
                group.cancelAll()
                return try await group.next() ?? nil
            }
            mayEnd.signal()
            try await holder

            #expect(error is CancellationError)
        }
    }

    @Test("may take longer for a statement than work may", arguments: TestServer.allCases)
    func slowStatement(server: TestServer) async throws {
        var limits = MySQLConfiguration.Limits.patient
        limits.read = .seconds(4)
        limits.socket = .seconds(4)
        try await withDriver(server, limits: limits) { driver in
            try await driver.migrate { session in
                try session.execute("DO SLEEP(7)")
                try session.execute("CREATE TABLE made (id INT PRIMARY KEY)")
            }

            // The limits count for it, too, so on a busy machine not every read succeeds.
            try await eventually("the table is there") { (try? await driver.count("made")) == 0 }
        }
    }
}
