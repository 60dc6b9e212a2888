import APITestKit
import Foundation
import ObjectStorage
import TestKit
import Testing

@Suite("Bytes at rest that are not what was stored")
struct DamagedStateTests {
    @Test(
        "are never served: an error names the version, and the one before stays readable",
        arguments: Engine.available
    )
    func names(engine: Engine) async throws {
        try await TestFolder.with { folder in
            let objects = try FolderObjectStore(path: folder, setting: "CAIRN_DATA", pool: Pools.files)
            try await withStackServer(engine, objects: objects) { server in
                try await server.createStack("acme/site/dev")
                try await server.importState(noise(1), into: "acme/site/dev")
                let first = try await server.export(version: 1)
                let before = try files(in: folder)
                try await server.importState(noise(2), into: "acme/site/dev")
                let added = try files(in: folder).subtracting(before)

                for file in added { try damage(file) }

                try #require(!added.isEmpty)
                for version in [nil, 2] {
                    let reply = try await server.export(version: version)
                    #expect(reply.status == 500)
                    #expect(reply.message?.contains("version 2") == true, "\(reply)")
                    #expect(reply.body.count < 1_000)
                }
                #expect(try await server.export(version: 1).text == first.text)
                #expect(try await server.send("GET", "/api/stacks/acme/site/dev/updates").status == 200)
            }
        }
    }

    @Test("keep nobody from putting a good state in their place", arguments: Engine.available)
    func heals(engine: Engine) async throws {
        try await TestFolder.with { folder in
            let objects = try FolderObjectStore(path: folder, setting: "CAIRN_DATA", pool: Pools.files)
            try await withStackServer(engine, objects: objects) { server in
                try await server.createStack("acme/site/dev")
                try await server.importState(noise(1), into: "acme/site/dev")
                for file in try files(in: folder) { try damage(file) }

                try await server.importState(noise(1), into: "acme/site/dev")

                #expect(try await server.export(version: 2).status == 200)
                #expect(try await server.export().text == TestServer.state(noise(1)))
            }
        }
    }

    /// Resources that do not compress, so that the state is an object and not a row.
    private func noise(_ seed: UInt64) -> [String] {
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

    private func files(in folder: String) throws -> Set<String> {
        let paths = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return Set(
            paths.map { "\(folder)/\($0)" }
                .filter { path in
                    var isFolder: ObjCBool = false
                    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
                }
        )
    }

    /// Changes one byte in the middle.
    private func damage(_ file: String) throws {
        let url = URL(fileURLWithPath: file)
        var bytes = try Data(contentsOf: url)
        try #require(!bytes.isEmpty)
        bytes[bytes.count / 2] ^= 0x20
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        try bytes.write(to: url)
    }
}
