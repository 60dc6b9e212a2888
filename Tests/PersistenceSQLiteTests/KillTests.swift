import Foundation
import Glibc
import Persistence
import PersistenceSQLite
import TestKit
import Testing

/// Set for the process that is to be killed: the folder of its database.
private let childFolder = ProcessInfo.processInfo.environment["CAIRN_SQLITE_CHILD"]

@Suite("SQLite: a server that is killed")
struct KillTests {
    @Test("has every write that it acknowledged, and no half of one", .enabled(if: childFolder == nil))
    func keepsAcknowledged() async throws {
        try await TestFolder.with { folder in
            for round in 0..<6 {
                let before = try acknowledged(in: folder).count
                let child = try start(in: folder)
                let wrote = try await eventually(within: .seconds(60)) {
                    try acknowledged(in: folder).count >= before + 20 + round * 37
                }
                kill(child.processIdentifier, SIGKILL)
                child.waitUntilExit()

                let numbers = try acknowledged(in: folder)
                let driver = try await SQLiteDriver.open(.patient("\(folder)/cairn.db"))
                let ids = Set(try await driver.ids())
                let problems = try await driver.problems()
                await driver.close()
                #expect(wrote && child.terminationReason == .uncaughtSignal)
                #expect(numbers.allSatisfy { ids.contains($0 * 2) && ids.contains($0 * 2 + 1) })
                #expect(ids.allSatisfy { ids.contains($0 ^ 1) })
                #expect(problems == [])
            }
        }
    }

    @Test("keeps its folder from a second one while it lives", .enabled(if: childFolder == nil))
    func locksFolder() async throws {
        try await TestFolder.with { folder in
            let child = try start(in: folder)
            _ = try await eventually(within: .seconds(60)) { try !acknowledged(in: folder).isEmpty }

            await #expect(throws: SQLiteOpenError.locked(folder: folder, process: Int(child.processIdentifier))) {
                _ = try await SQLiteDriver.open(SQLiteConfiguration(path: "\(folder)/cairn.db"))
            }
            kill(child.processIdentifier, SIGKILL)
            child.waitUntilExit()
            try await SQLiteDriver.open(SQLiteConfiguration(path: "\(folder)/cairn.db")).close()
        }
    }

    /// Runs this test program once more, for `ChildWriterTests` alone.
    private func start(in folder: String) throws -> Process {
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        child.arguments = [
            "--testing-library", "swift-testing", "--filter", #"^PersistenceSQLiteTests\.ChildWriterTests"#,
        ]
        child.environment = ProcessInfo.processInfo.environment.merging(
            ["CAIRN_SQLITE_CHILD": folder, "CAIRN_SQLITE_PARENT": "\(getpid())"]
        ) { $1 }
        child.standardOutput = FileHandle.nullDevice
        child.standardError = FileHandle.nullDevice
        try child.run()
        return child
    }

    /// The numbers whose write returned in the child, but for a line that the kill cut.
    private func acknowledged(in folder: String) throws -> [Int] {
        guard let data = FileManager.default.contents(atPath: "\(folder)/acknowledged") else { return [] }
        let text = String(decoding: data, as: UTF8.self)
        return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().compactMap { Int($0) }
    }
}

@Suite("SQLite: the server that KillTests kills", .enabled(if: childFolder != nil))
struct ChildWriterTests {
    @Test("writes pairs of rows and notes each pair whose write returned")
    func writes() async throws {
        let folder = try #require(childFolder)
        let driver = try await SQLiteDriver.open(.patient("\(folder)/cairn.db"))
        try await MigrationRunner(migrations: SQLiteFixture.migrations).up(Database(driver: driver))
        let first = try await driver.read { try $0.count("SELECT COALESCE(MAX(id), -1) FROM items") } / 2 + 1
        let next = Tally(first)
        // Nobody kills the writer of a test process that was itself killed: it must see that it is alone.
        let parent = ProcessInfo.processInfo.environment["CAIRN_SQLITE_PARENT"].flatMap { pid_t($0) }
        let notes = open("\(folder)/acknowledged", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)

        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    while getppid() == parent {
                        let number = next.add()
                        do {
                            try await driver.write { tx in
                                let value = [UInt8](repeating: 3, count: number % 5000)
                                try tx.insert(into: "items", ["id": number * 2, "value": value])
                                try tx.insert(into: "items", ["id": number * 2 + 1, "value": value])
                            }
                        } catch {
                            return
                        }
                        let line = Array("\(number)\n".utf8)
                        _ = write(notes, line, line.count)
                    }
                }
            }
        }
    }
}
