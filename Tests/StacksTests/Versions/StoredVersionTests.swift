import APITestKit
import Compression
import Crypto
import Foundation
import HTTPServer
import Kernel
import ObjectStorage
import Persistence
import TestKit
import Testing

@Suite("Stored versions")
struct StoredVersionTests {
    private let stack = "acme/site/dev"

    @Test("share what did not change, and each stays readable", arguments: Engine.available)
    func shared(engine: Engine) async throws {
        try await withStackServer(engine) { server, objects in
            try await server.createStack(stack)
            var states = [LargeState(1_200)]
            for _ in 1...5 {
                var next = states[states.count - 1]
                next.change(20, 1_100)
                states.append(next)
            }
            for (index, state) in states.enumerated() {
                try await server.run("update", of: stack, saving: state.resources)
                #expect(try await server.export(stack) == state.text, "version \(index + 1)")
            }

            let sizes = try await objects.states().map(\.size).sorted()

            // The first version brings everything, the others two chunks each.
            let largest = try #require(sizes.last)
            #expect(sizes.dropLast().allSatisfy { $0 < largest * 4 / 5 }, "\(sizes)")
            for (index, state) in states.enumerated() {
                #expect(try await server.export(stack, version: index + 1) == state.text)
                #expect(try await server.export(stack, version: index + 1, gzip: true) == state.text)
            }
        }
    }

    @Test("with damaged bytes are never served; the error names the version, and the others stay readable")
    func damaged() async throws {
        try await TestFolder.with { folder in
            let objects = try FolderObjectStore(path: folder, setting: "CAIRN_DATA", pool: Pools.files)
            try await withStackServer(.sqlite, objects: objects) { server in
                try await server.createStack(stack)
                var state = LargeState(1_000)
                try await server.run("update", of: stack, saving: state.resources)
                let before = Set(try await objects.states().map(\.key))
                let first = state.text
                state.change(100, 500, 900)
                try await server.run("update", of: stack, saving: state.resources)
                let key = try #require(Set(try await objects.states().map(\.key)).subtracting(before).first)

                try flipByte(of: key, in: folder)

                for gzip in [false, true] {
                    let reply = try await server.send(
                        "GET",
                        "/api/stacks/\(stack)/export",
                        headers: gzip ? ["Accept-Encoding": "gzip"] : [:]
                    )
                    #expect(reply.status == 500)
                    #expect(reply.json["message"].string?.contains("version 2") == true, "\(reply)")
                }
                #expect(try await server.export(stack, version: 1) == first)
            }
        }
    }

    @Test("with damaged rows are never served either")
    func damagedRows() async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack(stack)
            for version in 1...3 {
                let root = TestServer.root("site", "dev", outputs: #"{"version":\#(version)}"#)
                try await server.run("update", of: stack, saving: [root])
            }
            try await server.database.write { tx in
                for (column, version) in [("body", 2), ("manifest", 3)] as [(SQL, Int)] {
                    let bytes = try tx.first(
                        "SELECT \(column) FROM state_versions WHERE version = \(version)"
                    ) { try $0.bytes(0) }
                    var damaged = try #require(bytes)
                    damaged[damaged.count / 2] ^= 1
                    try tx.execute(
                        "UPDATE state_versions SET \(column) = \(damaged) WHERE version = \(version)"
                    )
                }
            }

            for version in 2...3 {
                let reply = try await server.send("GET", "/api/stacks/\(stack)/export/\(version)")
                #expect(reply.status == 500)
                #expect(reply.json["message"].string?.contains("version \(version)") == true, "\(reply)")
            }
            #expect(try await server.export(stack, version: 1).contains(#"{"version":1}"#))
        }
    }

    @Test("are not served for another one whose row their manifest was put in", arguments: Engine.available)
    func swappedManifests(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack(stack)
            for value in [1, 1, 2] {
                let root = TestServer.root("site", "dev", outputs: #"{"value":\#(value)}"#)
                try await server.run("update", of: stack, saving: [root])
            }
            // The second version has the chunks of the first one, and so has its manifest wherever it is.
            try await server.database.write { tx in
                let bytes = try tx.first("SELECT manifest FROM state_versions WHERE version = 2") { try $0.bytes(0) }
                let manifest = try #require(bytes)
                try tx.execute("UPDATE state_versions SET manifest = \(manifest) WHERE version = 3")
            }

            let reply = try await server.send("GET", "/api/stacks/\(stack)/export")

            #expect(reply.status == 500)
            #expect(reply.json["message"].string?.contains("version 3") == true, "\(reply)")
            #expect(try await server.export(stack, version: 2).contains(#"{"value":1}"#))
        }
    }

    @Test("of imports are the bytes that came, and refused imports leave nothing", arguments: Engine.available)
    func imports(engine: Engine) async throws {
        try await withStackServer(engine) { server, objects in
            try await server.createStack(stack)
            let text = LargeState(400).text.replacing(#","resources""#, with: " ,\n\t\"resources\"")
            for (body, gzip) in [(text, true), (String(text.dropLast()), false), (text + "}", true)] {
                let bytes = gzip ? Gzip.gzip(Array(body.utf8)[...]) : Array(body.utf8)
                let reply = try await server.send(
                    "POST",
                    "/api/stacks/\(stack)/import",
                    body: bytes,
                    headers: gzip ? ["Content-Encoding": "gzip"] : [:]
                )
                #expect(reply.status == (body == text ? 200 : 400), "\(reply)")
            }

            #expect(try await server.export(stack) == text)
            #expect(try await objects.states().count == 1)
        }
    }

    private func flipByte(of key: ObjectKey, in folder: String) throws {
        let name = try #require(key.description.split(separator: "/").last)
        let files = try #require(FileManager.default.enumerator(atPath: folder))
        let path = try #require(files.compactMap { $0 as? String }.first { $0.contains(name) })
        let url = URL(filePath: folder).appending(path: path)
        var bytes = try Data(contentsOf: url)
        bytes[bytes.count / 2] ^= 0x10
        try bytes.write(to: url)
    }
}
