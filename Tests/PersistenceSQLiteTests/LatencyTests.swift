import Foundation
import Persistence
import PersistenceSQLite
import TestKit
import Testing

@Suite("SQLite: what a call costs", .enabled(if: ProcessInfo.processInfo.environment["CAIRN_MEASURE"] == "1"))
struct LatencyTests {
    private static let migrations = [
        Migration(
            1,
            "pairs",
            [
                .createTable(
                    Table("pairs", columns: [Column("id", .integer), Column("value", .text)], primaryKey: ["id"])
                )
            ]
        )
    ]

    @Test("is measured for a point read, an empty read and a write")
    func measures() async throws {
        try await withTestStore(.sqlite, migrations: Self.migrations) { store in
            try await store.driver.write { tx in
                for id in 0..<1000 { try tx.insert(into: "pairs", ["id": id, "value": "value \(id)"]) }
            }

            let point = try await measure(20_000) { index in
                let id = index % 1000
                _ = try await store.database.read { tx in
                    try tx.first("SELECT value FROM pairs WHERE id = \(id)") { try $0.text(0) }
                }
            }
            let empty = try await measure(20_000) { _ in try await store.database.read { _ in } }
            let write = try await measure(5000) { index in
                let id = index % 1000
                _ = try await store.database.write { tx in
                    try tx.execute("UPDATE pairs SET value = \("new \(index)") WHERE id = \(id)")
                }
            }

            let reads = try await rate(tasks: 32, calls: 2000) { index in
                let id = index % 1000
                _ = try await store.database.read { tx in
                    try tx.first("SELECT value FROM pairs WHERE id = \(id)") { try $0.text(0) }
                }
            }
            let writes = try await rate(tasks: 32, calls: 1000) { index in
                let id = index % 1000
                _ = try await store.database.write { tx in
                    try tx.execute("UPDATE pairs SET value = \("newer \(index)") WHERE id = \(id)")
                }
            }

            print("point read \(point), empty read \(empty), write \(write)")
            print("of 32 tasks: \(reads) reads/s, \(writes) writes/s")
            #expect(point < .milliseconds(1))
        }
    }

    private func measure(_ count: Int, _ body: (Int) async throws -> Void) async throws -> Duration {
        for index in 0..<500 { try await body(index) }
        let start = ContinuousClock.now
        for index in 0..<count { try await body(index) }
        return start.duration(to: .now) / count
    }

    /// Calls per second of so many tasks at once.
    private func rate(
        tasks: Int,
        calls: Int,
        _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws -> Int {
        let start = ContinuousClock.now
        try await withThrowingTaskGroup { group in
            for task in 0..<tasks {
                group.addTask { for index in 0..<calls { try await body(task * calls + index) } }
            }
            try await group.waitForAll()
        }
        return Int(Double(tasks * calls) / (start.duration(to: .now) / .seconds(1)))
    }
}
