import Foundation
import Persistence
import PersistenceSQLite
import Schema
import TestKit
import Testing

@Suite("cairn migrate")
struct MigrateCommandTests {
    @Test("plans for a database that is still to be made, and makes nothing", arguments: ["", "/data"])
    func plansForNothing(below: String) async throws {
        try await TestFolder.with { folder in
            let console = Console()

            let code = await console.run(["migrate", "plan"], variables: ["CAIRN_DATA": folder + below])

            #expect(code == 0, "\(console.error)")
            #expect(console.output.contains("is at migration 0; to come:"))
            for migration in Schema.migrations { #expect(console.output.contains(migration.name)) }
            let files = try contents(of: folder)
            #expect(files.isEmpty)
        }
    }

    @Test("takes an empty file for no database, and leaves it empty")
    func plansForEmptyFile() async throws {
        try await TestFolder.with { folder in
            #expect(FileManager.default.createFile(atPath: "\(folder)/cairn.db", contents: nil))
            let console = Console()

            let code = await console.run(["migrate", "plan"], variables: ["CAIRN_DATA": folder])

            #expect(code == 0, "\(console.error)")
            let files = try contents(of: folder)
            #expect(files == ["cairn.db": Data()])
        }
    }

    @Test("brings a database up to date, after which the plan is empty and changes no file")
    func plansForCurrent() async throws {
        try await TestFolder.with { folder in
            let (up, plan) = (Console(), Console())
            let variables = ["CAIRN_DATA": folder]

            #expect(await up.run(["migrate", "up"], variables: variables) == 0)
            let before = try contents(of: folder)
            #expect(await plan.run(["migrate", "plan"], variables: variables) == 0)

            #expect(up.output.contains("\(Schema.migrations.count) migrations applied"))
            #expect(plan.output.contains("is up to date (migration \(Schema.migrations.count))"))
            let after = try contents(of: folder)
            #expect(after == before)
        }
    }

    @Test("plans beside a server that uses the folder, where nothing can be applied")
    func plansBesideServer() async throws {
        try await TestFolder.with { folder in
            let server = try await SQLiteDriver.open(SQLiteConfiguration(path: "\(folder)/cairn.db"))
            let (up, plan) = (Console(), Console())
            let variables = ["CAIRN_DATA": folder]

            let codes = [
                await plan.run(["migrate", "plan"], variables: variables),
                await up.run(["migrate", "up"], variables: variables),
            ]
            await server.close()

            #expect(codes == [0, 69])
            #expect(plan.output.contains("to come:"))
            #expect(!up.error.isEmpty)
        }
    }

    private func contents(of folder: String) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            files[name] = try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))
        }
        return files
    }
}
