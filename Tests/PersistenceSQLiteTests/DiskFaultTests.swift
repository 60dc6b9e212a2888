import CSQLite
import Foundation
import Glibc
import Persistence
import PersistenceSQLite
import TestKit
import Testing

@Suite("SQLite: a disk that fails")
struct DiskFaultTests {
    @Test("that is full refuses writes by name, serves reads, and is used again when there is room")
    func diskFull() async throws {
        try await SQLiteFixture.with { fixture, driver in
            for id in 0..<5 { try await driver.insert(id, bytes: 10_000) }
            let faults = SystemFaults(folder: fixture.folder)
            defer { faults.remove() }

            var acknowledged = Array(0..<5)
            faults.limitSpace(Int64(try fixture.size(of: "-wal") + 100_000))
            var refusals: [String] = []
            for id in 5..<40 {
                do {
                    try await driver.insert(id, bytes: 10_000)
                    acknowledged.append(id)
                } catch let error as DatabaseError {
                    refusals.append("\(error)")
                }
                #expect(try await driver.ids() == acknowledged)
            }
            faults.limitSpace(nil)
            try await driver.insert(1000)

            #expect(acknowledged.count > 5 && !refusals.isEmpty)
            #expect(refusals.allSatisfy { $0.contains("disk of the database is full") })
            #expect(try await driver.ids() == acknowledged + [1000])
            #expect(try await driver.problems() == [])
        }
    }

    @Test(
        "with an error when writing refuses the write and goes on afterwards",
        arguments: [SQLITE_IOERR | 3 << 8, SQLITE_READONLY, SQLITE_FULL]
    )
    func writeError(error: Int32) async throws {
        try await SQLiteFixture.with { fixture, driver in
            try await driver.insert(1)
            let faults = SystemFaults(folder: fixture.folder)
            defer { faults.remove() }
            faults.failWrites(with: error)

            await #expect(throws: DatabaseError.self) { try await driver.insert(2) }
            let during = try await driver.ids()
            faults.failWrites(with: nil)
            try await driver.insert(3)

            #expect(during == [1])
            #expect(faults.failedCalls > 0)
            #expect(try await driver.ids() == [1, 3])
        }
    }

    @Test("while a checkpoint runs loses nothing")
    func checkpointFails() async throws {
        try await SQLiteFixture.with({ $0.checkpointBytes = 100_000 }) { fixture, driver in
            let faults = SystemFaults(folder: fixture.folder)
            defer { faults.remove() }
            faults.failMainFile(true)
            for id in 0..<60 { try await driver.insert(id, bytes: 10_000) }
            let failed = await eventually { driver.statistics.failedCheckpoints > 0 }
            let before = driver.statistics.checkpoints
            faults.failMainFile(false)
            for id in 60..<90 { try await driver.insert(id, bytes: 10_000) }
            let succeeded = await eventually { driver.statistics.checkpoints > before }

            #expect(failed && succeeded)
            #expect(try await driver.ids() == Array(0..<90))
            #expect(try await driver.problems() == [])
        }
    }

    @Test("with a damaged page is told as damage, and what is whole is still read")
    func damagedPage() async throws {
        try await TestFolder.with { folder in
            let configuration = SQLiteConfiguration.patient("\(folder)/cairn.db", readers: 1)
            let before = try await SQLiteDriver.open(configuration)
            try await MigrationRunner(migrations: SQLiteFixture.migrations).up(Database(driver: before))
            for id in 0..<200 { try await before.insert(id, bytes: 1000) }
            await before.close()
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: configuration.path))
            let size = try file.seekToEnd()
            try file.seek(toOffset: size / 2 / 4096 * 4096)
            try file.write(contentsOf: Data(repeating: 0xA5, count: 4096))
            try file.close()

            let driver = try await SQLiteDriver.open(configuration)
            var kinds: Set<String> = []
            for id in 0..<200 {
                do {
                    _ = try await driver.read { tx in
                        try tx.first("SELECT value FROM items WHERE id = \(id)") { try $0.bytes(0) }
                    }
                    kinds.insert("none")
                } catch let error as DatabaseError {
                    kinds.insert(Optional<any Error>.some(error).kind)
                }
            }
            let problems = try await driver.problems()
            await driver.close()

            #expect(kinds == ["none", "corrupt"])
            #expect(!problems.isEmpty)
        }
    }

    @Test("that lost the end of the log keeps every commit before it")
    func cutLog() async throws {
        try await SQLiteFixture.with { fixture, driver in
            for id in 0..<20 { try await driver.insert(id) }
            let copy = "\(fixture.folder)/copy"
            try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: false)
            for suffix in ["", "-wal"] {
                try FileManager.default.copyItem(atPath: fixture.path + suffix, toPath: "\(copy)/cairn.db\(suffix)")
            }
            let size = try fixture.size(of: "-wal")
            #expect(truncate("\(copy)/cairn.db-wal", off_t(size - 100)) == 0)

            let other = try await SQLiteDriver.open(.patient("\(copy)/cairn.db"))
            let ids = try await other.ids()
            let problems = try await other.problems()
            await other.close()

            #expect(ids == Array(0..<19))
            #expect(problems == [])
        }
    }
}
