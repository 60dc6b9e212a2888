import Foundation
import Persistence
import PersistenceSQLite
import TestKit
import Testing

@Suite("SQLite: the write-ahead log")
struct CheckpointTests {
    @Test("is moved into the file while writes go on")
    func checkpoints() async throws {
        try await SQLiteFixture.with({ $0.checkpointBytes = 100_000 }) { fixture, driver in
            var count = 0
            let wasMoved = try await eventually {
                try await driver.insert(count, bytes: 10_000)
                count += 1
                return try driver.statistics.checkpoints > 2 && fixture.size(of: "") > 1_000_000
                    && fixture.size(of: "-wal") < count * 10_000
            }

            #expect(wasMoved)
            #expect(try await driver.ids().count == count)
        }
    }

    @Test("begins anew when it is large, without waiting until nothing is written")
    func restarts() async throws {
        try await SQLiteFixture.with({
            $0.checkpointBytes = 100_000
            $0.restartBytes = 400_000
            $0.idleTime = .seconds(600)
        }) { _, driver in
            try await driver.insert(1, bytes: 200_000)
            #expect(await eventually { driver.statistics.checkpoints > 0 })
            #expect(driver.statistics.restarts == 0)

            try await driver.insert(2, bytes: 500_000)

            #expect(await eventually { driver.statistics.restarts == 1 && driver.statistics.logBytes == 0 })
            #expect(try await driver.ids() == [1, 2])
        }
    }

    @Test("is emptied when nothing is written for a while")
    func idle() async throws {
        try await SQLiteFixture.with({
            $0.checkpointBytes = 400_000
            $0.idleTime = .milliseconds(50)
        }) { _, driver in
            // One commit, of which the log gets twice as long as what is left at most.
            try await driver.write { tx in
                for id in 0..<20 {
                    try tx.insert(into: "items", ["id": id, "value": [UInt8](repeating: 7, count: 10_000)])
                }
            }

            #expect(await eventually { driver.statistics.restarts > 0 && driver.statistics.logBytes < 100_000 })
        }
    }

    @Test("does not get what is deleted once more, although what is deleted from a page that stays is zeroed")
    func deletions() async throws {
        try await SQLiteFixture.with({ $0.checkpointBytes = 100_000_000 }) { fixture, driver in
            let secret = Array("a value that nobody else has".utf8)
            try await driver.write { tx in
                try tx.insert(into: "items", ["id": 1, "value": [UInt8](repeating: 7, count: 2_000_000)])
                try tx.insert(into: "items", ["id": 2, "value": secret])
                try tx.insert(into: "items", ["id": 3, "value": [UInt8](repeating: 7, count: 10)])
            }
            let before = try fixture.size(of: "-wal")

            _ = try await driver.write { tx in try tx.execute("DELETE FROM items WHERE id < 3") }
            let after = try fixture.size(of: "-wal")
            await driver.close()

            #expect(before > 2_000_000)
            #expect(after - before < 100_000)
            let file = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
            #expect(file.range(of: Data(secret)) == nil)
        }
    }

    @Test("slows writes down while readers keep it from shrinking, and lets them go on afterwards")
    func slowdown() async throws {
        try await SQLiteFixture.with({
            $0.checkpointBytes = 50_000
            $0.restartBytes = 100_000
            $0.slowdownBytes = 200_000
        }) { _, driver in
            let (isReading, mayEnd) = (Gate(), Gate())
            async let count = driver.read { tx in
                let count = try tx.count("SELECT COUNT(*) FROM items")
                isReading.open()
                mayEnd.block()
                return count
            }
            await isReading.wait()

            for id in 0..<40 { try await driver.insert(id, bytes: 10_000) }
            let slowed = driver.statistics.slowedGroups
            let size = driver.statistics.logBytes
            mayEnd.open()
            #expect(try await count == 0)
            var id = 40
            let shrank = try await eventually {
                try await driver.insert(id, bytes: 10_000)
                id += 1
                return driver.statistics.logBytes < 200_000
            }

            #expect(slowed > 0 && size > 200_000)
            #expect(shrank)
        }
    }

    @Test("is gone when the driver is closed, with everything in the file")
    func closed() async throws {
        try await SQLiteFixture.with { fixture, driver in
            for id in 0..<50 { try await driver.insert(id) }

            await driver.close()

            #expect(!FileManager.default.fileExists(atPath: fixture.path + "-wal"))
            let other = try await fixture.openBeside()
            let ids = try await other.ids()
            await other.close()
            #expect(ids == Array(0..<50))
        }
    }
}

@Suite("SQLite: copies and checks")
struct MaintenanceTests {
    @Test("copy one state while writes go on")
    func backup() async throws {
        try await SQLiteFixture.with { fixture, driver in
            for id in 0..<100 { try await driver.insert(id, bytes: 5000) }
            let copy = "\(fixture.folder)/copy.db"

            async let backup: Void = driver.backup(to: copy)
            for id in 100..<200 { try await driver.insert(id, bytes: 5000) }
            try await backup

            let attributes = try FileManager.default.attributesOfItem(atPath: copy)
            let other = try await SQLiteDriver.open(.patient(copy, readers: 1, locksFolder: false))
            let ids = try await other.ids()
            let problems = try await other.problems()
            await other.close()
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
            #expect(ids.count >= 100 && ids == Array(0..<ids.count))
            #expect(problems == [])
        }
    }

    @Test("never write over a file, and leave none behind when they fail")
    func backupFails() async throws {
        try await SQLiteFixture.with { fixture, driver in
            for id in 0..<20 { try await driver.insert(id, bytes: 5000) }
            let faults = SystemFaults(folder: fixture.folder)
            defer { faults.remove() }

            await #expect(throws: DatabaseError.self) { try await driver.backup(to: fixture.path) }
            faults.limitSpace(20_000)
            await #expect(throws: DatabaseError.self) { try await driver.backup(to: "\(fixture.folder)/copy.db") }
            faults.limitSpace(nil)
            await #expect(throws: DatabaseError.self) {
                try await driver.backup(to: "\(fixture.folder)/missing/copy.db")
            }

            #expect(!FileManager.default.fileExists(atPath: "\(fixture.folder)/copy.db"))
            #expect(try await driver.ids() == Array(0..<20))
        }
    }

    @Test("are refused when the driver is closed")
    func afterClose() async throws {
        try await SQLiteFixture.with { fixture, driver in
            await driver.close()

            await #expect(throws: DatabaseError.self) { try await driver.backup(to: "\(fixture.folder)/copy.db") }
            await #expect(throws: DatabaseError.self) { _ = try await driver.problems() }
        }
    }
}
