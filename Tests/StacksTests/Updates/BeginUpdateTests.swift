import APITestKit
import Persistence
import Testing
import TestKit

@Suite("Beginning an update in one request")
struct BeginUpdateTests {
    private let path = "/api/stacks/acme/site/dev"

    @Test(
        "seen 4: gives what making, starting, exporting and reading would give",
        arguments: Engine.available,
        ["update", "refresh", "destroy"]
    )
    func begins(engine: Engine, kind: String) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev", tags: #"{"a":"1"}"#)
            try await server.importState([TestServer.root("site", "dev")], into: "acme/site/dev")
            let state = try await server.export()

            let reply = try await begin(kind, #","tags":{"b":"2"},"journalVersion":2"#, server)
            let stack = try await server.send("GET", path)

            #expect(reply.status == 200)
            #expect(reply.json["updateID"].string == stack.json["activeUpdate"].string)
            #expect(reply.json["version"].int == 2)
            #expect(reply.json["token"].string?.isEmpty == false)
            #expect(reply.json["tokenExpiration"].int == 1_893_456_300)
            #expect(reply.json["journalVersion"].int == 2)
            #expect(reply.json["aiSettings"]["copilotIsEnabled"].bool == false)
            #expect(reply.json["deployment"] == state.json)
            #expect(reply.json["stack"] == stack.json)
            #expect(stack.json["tags"].strings == ["b": "2"])
            #expect(stack.json["currentOperation"]["kind"].string == kind)
            #expect(try await server.auditActions().suffix(2) == ["stack-update-created", "stack-update-started"])
        }
    }

    @Test("seen 4: gives a token that works like any other", arguments: Engine.available)
    func works(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let reply = try await begin("update", #","journalVersion":1"#, server)
            let update = TestUpdate(
                server: server,
                stack: "acme/site/dev",
                id: try #require(reply.json["updateID"].string),
                holder: .updateToken(try #require(reply.json["token"].string)),
                started: reply.json
            )

            let saved = try await update.journal([Journal.provider] + Journal.create(2, 1, "A"))

            #expect(saved.status == 204)
            #expect(try await update.complete().status == 204)
            #expect(try await server.resources() == ["A@1"])
        }
    }

    @Test("seen 4: holds no stack for a preview", arguments: [("preview", false), ("update", true)])
    func previews(kind: String, dryRun: Bool) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")

            let reply = try await begin(kind, "", server, options: #"{"dryRun":\#(dryRun)}"#)

            #expect(reply.status == 200)
            #expect(reply.json["version"].int == 0)
            #expect(try await server.currentOperation() == nil)
            #expect(try await server.history() == [])
        }
    }

    @Test("leaves nothing behind when it is refused", arguments: Engine.available)
    func refuses(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let running = try await server.update()
            let audited = try await server.auditActions()

            let busy = try await begin("update", "", server)
            let badTags = try await begin("preview", #","tags":{"a b":"x"}"#, server)
            let noProgram = try await server.send("POST", "\(path)/begin-update", json: #"{"updateKind":"update"}"#)
            let badKind = try await begin("rename", "", server)
            let noStack = try await server.send(
                "POST",
                "/api/stacks/acme/site/none/begin-update",
                json: #"{"updateKind":"update","program":{"name":"","runtime":"","main":"","description":""}}"#
            )

            #expect(busy.status == 409)
            #expect(busy.message == StartUpdateTests.busy("dev", "update", running.id))
            #expect([badTags, noProgram, badKind, noStack].map(\.status) == [400, 400, 400, 404])
            #expect(try await server.auditActions() == audited)
            let count = try await server.database.read { tx in try tx.count("SELECT COUNT(*) FROM updates") }
            #expect(count == 1)
        }
    }

    @Test("takes over from an update whose lease is over", arguments: Engine.available)
    func takesOver(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let lost = try await server.update(journal: 2)
            _ = try await lost.journal([Journal.provider] + Journal.create(2, 1, "A"))
            server.clock.advance(by: .seconds(361))

            let reply = try await begin("update", "", server)

            #expect(reply.status == 200)
            #expect(reply.json["version"].int == 2)
            #expect(reply.json["deployment"]["deployment"]["resources"][0]["urn"].string == "A")
        }
    }

    @Test(
        "holds no stack whose state cannot be given, and begins once it can be",
        arguments: Engine.available,
        [("body", "update"), ("manifest", "update"), ("body", "preview")] as [(String, String)]
    )
    func unreadable(engine: Engine, damage: (column: String, kind: String)) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.importState([TestServer.root("site", "dev")], into: "acme/site/dev")
            let audited = try await server.auditActions()
            let column = SQL(identifier: damage.column)
            let stored = try await server.database.read { tx in
                try tx.first("SELECT \(column) FROM state_versions WHERE version = 1") { try $0.bytes(0) }
            }
            let bytes = try #require(stored)
            var damaged = bytes
            damaged[bytes.count / 2] ^= 1
            try await set(column, damaged, server)

            let refused = try await begin(damage.kind, #","tags":{"b":"2"}"#, server)

            #expect(refused.status == 500)
            #expect(refused.message?.contains("version 1") == true, "\(refused)")
            #expect(try await server.currentOperation() == nil)
            #expect(try await server.auditActions() == audited)
            let count = try await server.database.read { tx in try tx.count("SELECT COUNT(*) FROM updates") }
            #expect(count == 1, "the import only")

            try await set(column, bytes, server)
            #expect(try await begin(damage.kind, "", server).status == 200)
        }
    }

    private func set(_ column: SQL, _ bytes: [UInt8], _ server: TestServer) async throws {
        try await server.database.write { tx in
            _ = try tx.execute("UPDATE state_versions SET \(column) = \(bytes) WHERE version = 1")
        }
    }

    private func begin(
        _ kind: String,
        _ more: String,
        _ server: TestServer,
        options: String = "{}"
    ) async throws -> TestReply {
        let program = #"{"name":"site","runtime":"yaml","main":"","description":"","options":\#(options)}"#
        let json = #"{"updateKind":"\#(kind)","program":\#(program)\#(more)}"#
        return try await server.send("POST", "\(path)/begin-update", json: json)
    }
}
