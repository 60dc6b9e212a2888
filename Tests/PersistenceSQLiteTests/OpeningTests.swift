import Foundation
import Glibc
import Persistence
import PersistenceSQLite
import TestKit
import Testing

@Suite("SQLite: opening")
struct OpeningTests {
    @Test("makes a file that only its owner can read, and reopens it")
    func makesFile() async throws {
        try await SQLiteFixture.with { fixture, driver in
            try await driver.insert(1)

            for suffix in ["", "-wal", "-shm"] {
                let attributes = try FileManager.default.attributesOfItem(atPath: fixture.path + suffix)
                #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600, "\(suffix)")
            }
        }
    }

    @Test("refuses a folder that does not exist, and one that is a file")
    func noFolder() async throws {
        try await TestFolder.with { folder in
            try Data().write(to: URL(fileURLWithPath: "\(folder)/file"))

            let missing = await openError("\(folder)/missing/cairn.db")
            let file = await openError("\(folder)/file/cairn.db")
            let folderAsFile = await openError(folder)

            #expect(missing == "the folder \(folder)/missing cannot be used: No such file or directory")
            #expect(file == "\(folder)/file is not a folder")
            #expect(folderAsFile == "\(folder) is not a file")
        }
    }

    @Test("refuses a file that is not a database, and leaves it alone", arguments: [20, 5000])
    func notADatabase(size: Int) async throws {
        try await TestFolder.with { folder in
            let path = "\(folder)/cairn.db"
            let content = Data(repeating: 0x41, count: size)
            try content.write(to: URL(fileURLWithPath: path))

            let error = await openError(path)

            #expect(error == "\(path) is not a SQLite database, or it is damaged")
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == content)
        }
    }

    @Test("refuses a folder that another server uses, until that one is closed")
    func locked() async throws {
        try await SQLiteFixture.with { fixture, driver in
            let error = await openError(fixture.path)

            await driver.close()
            let again = await openError(fixture.path)

            let use = "is in use by another server (process \(getpid())): stop it first, or choose another folder"
            #expect(error == "\(fixture.folder) \(use)")
            #expect(again == nil)
        }
    }

    @Test("leaves nothing locked when it fails")
    func releasesLock() async throws {
        try await TestFolder.with { folder in
            let path = "\(folder)/cairn.db"
            try Data(repeating: 0x41, count: 5000).write(to: URL(fileURLWithPath: path))
            #expect(await openError(path) != nil)

            try FileManager.default.removeItem(atPath: path)

            #expect(await openError(path) == nil)
        }
    }

    @Test("releases the folder when the driver is dropped without being closed")
    func dropped() async throws {
        try await TestFolder.with { folder in
            let path = "\(folder)/cairn.db"
            var driver: SQLiteDriver? = try await SQLiteDriver.open(.patient(path))
            _ = try await driver?.read { try $0.count("SELECT 1") }

            driver = nil

            #expect(await eventually { await openError(path) == nil })
        }
    }

    @Test("refuses what its user may not write, and says who may", .enabled(if: geteuid() == 0))
    func permissions() async throws {
        await #expect(processExitsWith: .success) {
            try await TestFolder.with { folder in
                chmod(folder, 0o755)
                let path = "\(folder)/cairn.db"
                let error = await errorAsNobody(path)
                #expect(error.contains("the folder \(folder) must be writable by user 65534: it belongs to user 0"))
                #expect(error.contains("with mode 755"))
            }
            try await TestFolder.with { folder in
                chmod(folder, 0o777)
                let path = "\(folder)/cairn.db"
                try Data().write(to: URL(fileURLWithPath: path))
                chmod(path, 0o444)
                let error = await errorAsNobody(path)
                #expect(error.contains("the file \(path) must be writable by user 65534: it belongs to user 0"))
            }
        }
    }
}

/// The line an operator reads, or nil when it opens; closes it again.
private func openError(_ path: String) async -> String? {
    do {
        try await SQLiteDriver.open(SQLiteConfiguration(path: path, readers: 1)).close()
        return nil
    } catch {
        return "\(error)"
    }
}

/// Opens as a user without rights; only in a process of its own.
private func errorAsNobody(_ path: String) async -> String {
    seteuid(65_534)
    defer { seteuid(0) }
    return await openError(path) ?? ""
}
