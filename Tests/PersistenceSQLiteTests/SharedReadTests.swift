import Persistence
import PersistenceSQLite
import TestKit
import Testing

@Suite("SQLite: reads that wait together")
struct SharedReadTests {
    @Test("are made on one snapshot, which has what was written before they were asked")
    func shared() async throws {
        try await SQLiteFixture.with({ $0.readers = 1 }) { _, driver in
            let before = driver.statistics
            try await withThrowingTaskGroup(of: [Int64].self) { group in
                try await driver.whileReaderIsHeld {
                    for id in 0..<5 as Range<Int64> {
                        try await driver.insert(Int(id))
                        group.addTask { try await driver.ids().map { Int64($0) } }
                        #expect(await eventually { driver.statistics.waitingReads == Int(id) + 1 })
                    }
                }
                for try await ids in group { #expect(ids == [0, 1, 2, 3, 4]) }
            }

            let after = driver.statistics
            #expect(after.reads - before.reads == 6)
            // The one that held the reader, and one for all that waited behind it.
            #expect(after.snapshots - before.snapshots == 2)
        }
    }

    @Test("a read that is asked while others are made sees what was written meanwhile")
    func fresh() async throws {
        try await SQLiteFixture.with({ $0.readers = 1 }) { _, driver in
            try await driver.insert(1)

            try await driver.whileReaderIsHeld {
                // The held reader has its snapshot; what is asked now must not share it.
                try await driver.insert(2)
            }

            #expect(try await driver.ids() == [1, 2])
        }
    }

    @Test("one that fails does not take the others with it")
    func failure() async throws {
        try await SQLiteFixture.with({ $0.readers = 1 }) { _, driver in
            try await driver.insert(1)
            try await withThrowingTaskGroup(of: Bool.self) { group in
                try await driver.whileReaderIsHeld {
                    for number in 0..<6 {
                        group.addTask {
                            do {
                                return try await driver.read { tx in
                                    if number % 2 == 0 { throw Planned() }
                                    return try tx.count("SELECT COUNT(*) FROM items") == 1
                                }
                            } catch is Planned {
                                return number % 2 == 0
                            }
                        }
                        #expect(await eventually { driver.statistics.waitingReads == number + 1 })
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
        }
    }
}

extension SQLiteDriver {
    /// Runs `body` while the only reader is busy on a snapshot that it has begun to use.
    fileprivate func whileReaderIsHeld(_ body: () async throws -> Void) async throws {
        let (isHeld, mayGo) = (Gate(), Gate())
        async let blocker: Void = isHeld.openAtLatest(after: {
            try await self.read { tx in
                _ = try tx.count("SELECT COUNT(*) FROM items")
                isHeld.open()
                mayGo.block()
            }
        })
        await isHeld.wait()
        do {
            try await body()
            mayGo.open()
        } catch {
            mayGo.open()
            throw error
        }
        try await blocker
    }
}
