import Foundation
import Persistence
import PersistenceSQLite
import TestKit
import Testing

@Suite("SQLite: closures that share a commit")
struct GroupCommitTests {
    @Test("sync once for up to sixteen of them")
    func sharesSync() async throws {
        try await SQLiteFixture.with { fixture, driver in
            let faults = SystemFaults(folder: fixture.folder)
            defer { faults.remove() }
            let before = faults.syncs

            let errors = try await driver.writeTogether(40) { index, tx in
                try tx.insert(into: "items", ["id": index, "value": [] as [UInt8]])
            }

            // Two full groups and the rest; what held the writer wrote nothing.
            #expect(faults.syncs - before == 3)
            #expect(errors.allSatisfy { $0 == nil })
            #expect(driver.statistics.groupSizes[15] == 2)
            #expect(driver.statistics.groupSizes[7] == 1)
            #expect(try await driver.ids() == Array(0..<40))
        }
    }

    @Test("lose only their own work when one of them throws")
    func oneThrows() async throws {
        try await SQLiteFixture.with { _, driver in
            let errors = try await driver.writeTogether(5) { index, tx in
                try tx.insert(into: "items", ["id": index, "value": [] as [UInt8]])
                if index == 2 { throw Planned() }
                if index == 3 { try tx.insert(into: "items", ["id": 0, "value": [] as [UInt8]]) }
            }

            #expect(errors.map(\.kind) == ["none", "none", "other", "duplicate", "none"])
            #expect(errors[2] as? Planned == Planned())
            #expect(try await driver.ids() == [0, 1, 4])
            #expect(driver.statistics.brokenGroups == 0)
        }
    }

    @Test("see what the ones before them wrote")
    func order() async throws {
        try await SQLiteFixture.with { _, driver in
            let errors = try await driver.writeTogether(10) { index, tx in
                guard try tx.count("SELECT COUNT(*) FROM items") == index else { throw Planned() }
                try tx.insert(into: "items", ["id": index, "value": [] as [UInt8]])
            }

            #expect(errors.allSatisfy { $0 == nil })
        }
    }

    @Test("run again one by one when one of them fills the disk, and only that one fails")
    func oneFillsDisk() async throws {
        try await SQLiteFixture.with { fixture, driver in
            let faults = SystemFaults(folder: fixture.folder)
            defer { faults.remove() }
            faults.limitSpace(Int64(try fixture.size(of: "-wal") + 500_000))

            let errors = try await driver.writeTogether(6) { index, tx in
                let size = index == 3 ? 30_000_000 : 100
                try tx.insert(into: "items", ["id": index, "value": [UInt8](repeating: 1, count: size)])
            }

            #expect(errors.map(\.kind) == ["none", "none", "none", "unavailable", "none", "none"])
            #expect("\(String(describing: errors[3]))".contains("disk of the database is full"))
            #expect(try await driver.ids() == [0, 1, 2, 4, 5])
            #expect(driver.statistics.brokenGroups == 1)
            #expect(driver.statistics.reopened == 0)
        }
    }

    @Test("cannot go on alone after the engine ended their transaction, even if they hide the error")
    func hiddenError() async throws {
        try await SQLiteFixture.with { fixture, driver in
            let faults = SystemFaults(folder: fixture.folder)
            defer { faults.remove() }
            faults.limitSpace(Int64(try fixture.size(of: "-wal") + 500_000))

            let error = await thrown {
                try await driver.write { tx in
                    do {
                        try tx.insert(into: "items", ["id": 1, "value": [UInt8](repeating: 1, count: 30_000_000)])
                    } catch is DatabaseError {
                        try tx.insert(into: "items", ["id": 2, "value": [] as [UInt8]])
                    }
                }
            }
            let ids = try await driver.ids()

            #expect(error.kind == "unavailable" || ids == [2])
            #expect(ids.isEmpty || error == nil)
        }
    }

    @Test("all get an unknown outcome after a failed sync, and the file is opened anew", arguments: [1, 5])
    func failedSync(count: Int) async throws {
        try await SQLiteFixture.with { fixture, driver in
            try await driver.insert(100)
            let faults = SystemFaults(folder: fixture.folder)
            defer { faults.remove() }

            let errors = try await driver.writeTogether(count) { index, tx in
                // The blocker's commit is behind us: the next sync is ours.
                if index == 0 { faults.failSyncs(1) }
                try tx.insert(into: "items", ["id": index, "value": [] as [UInt8]])
            }
            try await driver.insert(200)
            let ids = try await driver.ids()

            #expect(errors.map(\.kind) == Array(repeating: "unknownCommit", count: count))
            #expect(faults.failedCalls == 1)
            #expect(driver.statistics.reopened == 1)
            #expect(ids == [100, 200] || ids == Array(0..<count) + [100, 200])
            #expect(try await driver.problems() == [])
        }
    }

    private func thrown(_ body: () async throws -> Void) async -> (any Error)? {
        do {
            try await body()
            return nil
        } catch {
            return error
        }
    }
}
