import Foundation
import Persistence
import PersistenceSQLite
import TestKit

/// A database with one table, `rows (id, value)`, and the driver's own settings in the hands of the test.
struct SQLiteFixture {
    let folder: String
    let configuration: SQLiteConfiguration

    var path: String { configuration.path }

    static let migrations = [
        Migration(
            1,
            "items",
            [
                .createTable(
                    Table("items", columns: [Column("id", .integer), Column("value", .bytes)], primaryKey: ["id"])
                )
            ]
        )
    ]

    /// Runs `body` with an open driver in a folder of its own, which waits as long as a busy machine needs unless `adjust`
    /// says otherwise.
    static func with<Result>(
        _ adjust: (inout SQLiteConfiguration) -> Void = { _ in },
        _ body: (SQLiteFixture, SQLiteDriver) async throws -> Result
    ) async throws -> Result {
        SystemFaults.install()
        return try await TestFolder.with { folder in
            var configuration = SQLiteConfiguration.patient("\(folder)/cairn.db", readers: 2)
            configuration.sharingTime = TestPatience.limit
            adjust(&configuration)
            let fixture = SQLiteFixture(folder: folder, configuration: configuration)
            let driver = try await SQLiteDriver.open(configuration)
            do {
                try await MigrationRunner(migrations: migrations).up(Database(driver: driver))
                let result = try await body(fixture, driver)
                await driver.close()
                return result
            } catch {
                await driver.close()
                throw error
            }
        }
    }

    /// Opens the same files once more, as a tool beside the server does.
    func openBeside(_ adjust: (inout SQLiteConfiguration) -> Void = { _ in }) async throws -> SQLiteDriver {
        var other = configuration
        other.locksFolder = false
        adjust(&other)
        return try await SQLiteDriver.open(other)
    }

    func size(of suffix: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path + suffix)
        return (attributes[.size] as? NSNumber)?.intValue ?? 0
    }
}

extension SQLiteConfiguration {
    /// Waits as long as a busy machine needs.
    static func patient(_ path: String, readers: Int = defaultReaders, locksFolder: Bool = true) -> SQLiteConfiguration
    {
        var configuration = SQLiteConfiguration(path: path, readers: readers, locksFolder: locksFolder)
        configuration.queueTimeout = TestPatience.limit
        configuration.readTimeout = TestPatience.limit
        return configuration
    }
}

extension SQLiteDriver {
    func insert(_ id: Int, bytes: Int = 10) async throws {
        try await write { tx in
            try tx.insert(into: "items", ["id": id, "value": [UInt8](repeating: 7, count: bytes)])
        }
    }

    func ids() async throws -> [Int] {
        try await read { tx in try tx.all("SELECT id FROM items ORDER BY id") { try $0.int(0) } }
    }

    /// Holds the writer until `body` is done, so that what `body` starts shares the next commit.
    func whileWriterIsHeld(_ body: () async throws -> Void) async throws {
        let (isHeld, mayGo) = (Gate(), Gate())
        async let blocker: Void = isHeld.openAtLatest(after: {
            try await self.write { _ in
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

    /// Starts writes while the writer is held, lets them share a commit and gives the error of each.
    func writeTogether(
        _ count: Int,
        _ body: @escaping @Sendable (Int, Transaction) throws -> Void
    ) async throws -> [(any Error)?] {
        try await withThrowingTaskGroup(of: (Int, (any Error)?).self) { group in
            try await whileWriterIsHeld {
                for index in 0..<count {
                    group.addTask {
                        do {
                            try await self.write { tx in try body(index, tx) }
                            return (index, nil)
                        } catch {
                            return (index, error)
                        }
                    }
                    // In this order.
                    guard await eventually({ self.statistics.waitingWrites > index }) else { throw CancellationError() }
                }
            }
            var errors = [(any Error)?](repeating: nil, count: count)
            for try await (index, error) in group { errors[index] = error }
            return errors
        }
    }
}

extension Gate {
    /// Runs `body`, after which nobody waits for it any more, however it ends.
    func openAtLatest(after body: () async throws -> Void) async throws {
        defer { open() }
        try await body()
    }
}

/// An error of the test itself.
struct Planned: Error, Equatable {}

extension Optional where Wrapped == any Error {
    /// The name of the database error, to compare whole lists.
    var kind: String {
        switch self as? DatabaseError {
        case .retryable: "retryable"
        case .duplicate: "duplicate"
        case .unavailable: "unavailable"
        case .unknownCommit: "unknownCommit"
        case .statement: "statement"
        case .corrupt: "corrupt"
        case nil: self == nil ? "none" : "other"
        }
    }
}
