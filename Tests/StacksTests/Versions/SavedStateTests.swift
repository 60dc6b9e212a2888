import APITestKit
import Foundation
import Kernel
import ObjectStorage
import Stacks
import TestKit
import Testing

@Suite("What is left of saves and damage")
struct SavedStateTests {
    @Test(
        "an expiry that finds the update renewed leaves what it saved alone",
        arguments: ["checkpoint", "journal", "delta"]
    )
    func expiryOfRenewed(form: String) async throws {
        try await TestFolder.with { folder in
            let objects = try FolderObjectStore(path: folder, setting: "CAIRN_DATA", pool: Pools.files)
            try await withStackServer(.sqlite, objects: objects) { server in
                try await server.createStack("acme/site/dev")
                let update = try await server.update(journal: form == "journal" ? 2 : nil)
                let noise = Self.noise(1)
                let saved =
                    form == "journal"
                    ? try await update.journal(
                        [Journal.provider]
                            + noise.enumerated().map { Journal.entry($0 + 2, kind: 1, $0 + 1, state: $1) }
                    ) : try await update.save(verbatim: TestServer.state(noise), 1)
                let before = try await server.export()
                let state = StateServices(
                    database: server.database,
                    effects: server.clock.effects,
                    objects: objects,
                    compute: Pools.compute
                )
                let ending = UpdateEnding(database: server.database, effects: server.clock.effects, state: state)
                let hold = StackHold(database: server.database, effects: server.clock.effects, ending: ending)
                let stack = try await server.send("GET", "/api/stacks/acme/site/dev").json["id"].string ?? ""

                // As when a renewal comes between the look for dead updates and the end of one of them.
                try await hold.expire(try #require(UpdateID(update.id)), of: try #require(StackID(stack)))

                let after = try await server.export()
                let ended = try await update.complete()
                #expect(saved.status == 204)
                #expect(after.status == 200, "\(after)")
                #expect(after.text == before.text)
                #expect(ended.status == 204, "\(ended)")
                #expect(try await server.export(version: 1).text == before.text)
            }
        }
    }

    @Test("an import of the same state heals a damaged one")
    func heals() async throws {
        try await TestFolder.with { folder in
            let objects = try FolderObjectStore(path: folder, setting: "CAIRN_DATA", pool: Pools.files)
            try await withStackServer(.sqlite, objects: objects) { server in
                try await server.createStack("acme/site/dev")
                try await server.importState(Self.noise(1), into: "acme/site/dev")
                try Self.damageEverything(in: folder)

                try await server.importState(Self.noise(1), into: "acme/site/dev")

                #expect(try await server.export().text == TestServer.state(Self.noise(1)))
            }
        }
    }

    @Test("a save of the whole state heals a damaged one, too")
    func savesHeal() async throws {
        try await TestFolder.with { folder in
            let objects = try FolderObjectStore(path: folder, setting: "CAIRN_DATA", pool: Pools.files)
            try await withStackServer(.sqlite, objects: objects) { server in
                try await server.createStack("acme/site/dev")
                try await server.run("update", of: "acme/site/dev", saving: Self.noise(1))
                try Self.damageEverything(in: folder)
                #expect(try await server.export().status == 500)

                try await server.run("update", of: "acme/site/dev", saving: Self.noise(1))

                #expect(try await server.export().text == TestServer.state(Self.noise(1)))
            }
        }
    }

    private static func damageEverything(in folder: String) throws {
        for file in FileManager.default.enumerator(atPath: folder)?.compactMap({ $0 as? String }) ?? [] {
            let url = URL(fileURLWithPath: "\(folder)/\(file)")
            guard var bytes = try? Data(contentsOf: url), !bytes.isEmpty else { continue }
            bytes[bytes.count / 2] ^= 0x20
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: url.path)
            try bytes.write(to: url)
        }
    }

    /// Resources that do not compress, so that what is saved is an object and not a row.
    private static func noise(_ seed: UInt64) -> [String] {
        var state = seed
        return (0..<200)
            .map { index in
                let text = (0..<64)
                    .map { _ in
                        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                        return String(state >> 16, radix: 36)
                    }
                    .joined()
                return Journal.resource("r\(seed)-\(index)", 1, #""inputs":{"x":"\#(text)"}"#)
            }
    }
}
