import Kernel
import Persistence
import PersistenceSQLite
import TestKit
import Testing

@Suite("SQLite: reads on the thread of whoever asks", .timeLimit(.minutes(2)))
struct ReadInPlaceTests {
    private static let threads = TaskThreads(name: "test", count: 4)

    /// The most that any read has seen, and whether there will be no more writes.
    private final class Seen: Sendable {
        private let state = Locked((most: 0, isOver: false))

        var most: Int { state.withLock { $0.most } }
        var isOver: Bool { state.withLock { $0.isOver } }

        func note(_ count: Int) {
            state.withLock { $0.most = max($0.most, count) }
        }

        func end() {
            state.withLock { $0.isOver = true }
        }
    }

    /// Runs `body` with an open driver on threads that may block.
    private func with(
        _ adjust: (inout SQLiteConfiguration) -> Void = { _ in },
        _ body: (SQLiteDriver) async throws -> Void
    ) async throws {
        try await SQLiteFixture.with(adjust) { _, driver in
            try await withTaskExecutorPreference(Self.threads) { try await body(driver) }
        }
    }

    @Test("are made there, and elsewhere only where blocking is not allowed")
    func place() async throws {
        try await SQLiteFixture.with { _, driver in
            let isThere = try await withTaskExecutorPreference(Self.threads) {
                try await driver.read { _ in TaskThreads.isCurrent }
            }
            let isElsewhere = try await driver.read { _ in TaskThreads.isCurrent }

            #expect(isThere && !isElsewhere)
        }
    }

    @Test("share a snapshot until something is committed, and always see what was written before they were asked")
    func snapshots() async throws {
        try await with { driver in
            _ = try await driver.ids()
            let before = driver.statistics

            for id in 0..<50 {
                try await driver.insert(id)
                for _ in 0..<3 { #expect(try await driver.ids().count == id + 1) }
            }

            let after = driver.statistics
            #expect(after.reads - before.reads == 150)
            #expect(after.snapshots - before.snapshots == 50)
        }
    }

    @Test("each task sees its own writes, however many write and read at once")
    func ownWrites() async throws {
        try await with { driver in
            let areSeen = try await withThrowingTaskGroup(of: Bool.self) { group in
                for writer in 0..<8 {
                    group.addTask {
                        for number in 0..<40 {
                            let id = writer * 1000 + number
                            try await driver.insert(id)
                            guard try await driver.ids().contains(id) else { return false }
                        }
                        return true
                    }
                }
                return try await group.allSatisfy { $0 }
            }

            #expect(areSeen)
        }
    }

    @Test("no read sees less than one that ended before it began, wherever both were made")
    func monotonic() async throws {
        try await with { driver in
            let seen = Seen()

            let isMonotonic = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        while !seen.isOver {
                            let before = seen.most
                            let count = try await driver.ids().count
                            guard count >= before else { return false }
                            seen.note(count)
                        }
                        return true
                    }
                }
                for id in 0..<200 { try await driver.insert(id) }
                seen.end()
                return try await group.allSatisfy { $0 }
            }

            #expect(isMonotonic)
            #expect(seen.most > 0)
        }
    }

    @Test("see a schema that was changed meanwhile")
    func schema() async throws {
        try await with { driver in
            try await driver.insert(1)
            #expect(try await driver.ids() == [1])

            try await driver.migrate { session in try session.execute("ALTER TABLE items ADD COLUMN more INTEGER") }

            let count = try await driver.read { tx in try tx.count("SELECT COUNT(*) FROM items WHERE more IS NULL") }
            #expect(count == 1)
        }
    }

    @Test("a failure is thrown as it is, and the next read is as good as any")
    func failure() async throws {
        try await with { driver in
            try await driver.insert(1)

            await #expect(throws: Planned.self) { try await driver.read { _ in throw Planned() } }
            await #expect(throws: DatabaseError.self) { try await driver.read { tx in try tx.count("SELECT nothing") } }

            #expect(try await driver.ids() == [1])
        }
    }

    @Test("cannot write")
    func readOnly() async throws {
        try await with { driver in
            try await driver.insert(1)

            await #expect(throws: DatabaseError.self) {
                try await driver.read { tx in try tx.execute("DELETE FROM items") }
            }

            #expect(try await driver.ids() == [1])
        }
    }

    @Test("no more of them than there are readers; what comes on top waits for a reader's thread")
    func bound() async throws {
        try await with({ $0.readers = 1 }) { driver in
            let (isHeld, mayGo) = (Gate(), Gate())
            async let blocker: Bool = driver.read { _ in
                isHeld.open()
                mayGo.block()
                return TaskThreads.isCurrent
            }
            await isHeld.wait()

            let isInPlace = try await driver.read { _ in TaskThreads.isCurrent }
            mayGo.open()

            #expect(!isInPlace)
            #expect(try await blocker)
        }
    }

    @Test("one that is cancelled while it reads is stopped")
    func cancelledLater() async throws {
        try await with { driver in
            let isHeld = Gate()
            let slow = """
                WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000000000)
                SELECT COUNT(*) FROM numbers
                """ as SQL

            await #expect(throws: CancellationError.self) {
                try await withThrowingTaskGroup(of: Int.self) { group in
                    group.addTask {
                        try await driver.read { tx in
                            isHeld.open()
                            return try tx.count(slow)
                        }
                    }
                    await isHeld.wait()
                    group.cancelAll()
                    try await group.waitForAll()
                }
            }

            #expect(driver.statistics.interruptedReads == 1)
            let ids = try await driver.ids()
            #expect(ids == [])
        }
    }

    @Test("a task that is cancelled already reads nothing")
    func cancelledBefore() async throws {
        try await with { driver in
            let before = driver.statistics.reads

            await #expect(throws: CancellationError.self) {
                try await withThrowingTaskGroup(of: [Int].self) { group in
                    group.cancelAll()
                    group.addTask { try await driver.ids() }
                    try await group.waitForAll()
                }
            }

            #expect(driver.statistics.reads == before)
        }
    }

    @Test("their snapshots do not keep the log from being emptied")
    func log() async throws {
        try await with({
            $0.idleTime = .milliseconds(50)
            $0.checkpointBytes = 16_384
        }) { driver in
            for id in 0..<20 { try await driver.insert(id, bytes: 4096) }
            #expect(try await driver.ids().count == 20)

            // The snapshot of that read is still open; nothing is written or read from here on.
            #expect(await eventually { driver.statistics.restarts > 0 && driver.statistics.logBytes == 0 })
        }
    }

    @Test("end with the driver, and are refused after it")
    func closing() async throws {
        try await with { driver in
            let ids = try await driver.ids()

            await driver.close()

            #expect(ids == [])
            await #expect(throws: DatabaseError.self) { try await driver.ids() }
        }
    }
}
