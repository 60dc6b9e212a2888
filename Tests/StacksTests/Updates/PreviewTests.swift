import APITestKit
import Persistence
import Testing
import TestKit

@Suite("Previews")
struct PreviewTests {
    @Test("45: see the version there is, and leave no trace but among the previews", arguments: Engine.available)
    func leavesNoTrace(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev", tags: #"{"a":"1"}"#)
            try await server.importState([TestServer.root("site", "dev")], into: "acme/site/dev")
            let id = try await server.make("preview", of: "acme/site/dev", options: #"{"dryRun":true}"#)

            let started = try await server.start(id, of: "acme/site/dev", #"{"tags":{"b":"2"},"journalVersion":2}"#)
            let token = try #require(started.json["token"].string)
            let ended = try await server.send(
                "POST",
                "/api/stacks/acme/site/dev/preview/\(id)/complete",
                json: #"{"status":"succeeded"}"#,
                as: .updateToken(token)
            )

            #expect(!token.isEmpty)
            #expect(started.json["version"].int == 1)
            #expect(ended.status == 204)
            #expect(try await server.version() == 1)
            #expect(try await server.history() == ["import succeeded 1"])
            #expect(try await server.tags(of: "acme/site/dev") == ["a": "1"])
            let previews = try await server.send(
                "GET",
                "/api/stacks/acme/site/dev/updates/latest/previews?asc=false&pageSize=1&page=1"
            )
            #expect(previews.json["updates"].array.map { $0["updateID"].string } == [id])
        }
    }

    @Test("46: are also those that only say so in their options, and write no state", arguments: Engine.available)
    func dryRun(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let checkpoints = try await server.update(options: #"{"dryRun":true}"#)
            let journal = try await server.update(journal: 2, options: #"{"dryRun":true}"#)

            let refusals = [
                try await checkpoints.save([]), try await checkpoints.save(verbatim: TestServer.state([]), 1),
                try await checkpoints.save(delta: "[]", 1, hash: "00"),
                try await checkpoints.journal([Journal.provider]), try await journal.journal([Journal.provider]),
                try await journal.journal([]), try await journal.save([]),
            ]
            let events = try await checkpoints.events([Save.event(0)])

            for refusal in refusals { #expect(refusal.status == 403, "\(refusal)") }
            #expect(events.status == 204)
            #expect(checkpoints.started["version"].int == 0)
            #expect(try await checkpoints.complete().status == 204)
            #expect(try await journal.complete("failed").status == 204)
            #expect(try await server.version() == 0)
            #expect(try await server.history() == [])
        }
    }

    @Test("run beside each other and beside an update, which stays the one to cancel", arguments: Engine.available)
    func takesNoLock(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let before = try await server.update("preview")
            let update = try await server.update()
            let during = try await server.update("preview")

            let stack = try await server.send("GET", "/api/stacks/acme/site/dev")
            let ends = [try await before.complete("failed"), try await during.complete(), try await update.complete()]

            #expect(stack.json["activeUpdate"].string == update.id)
            #expect(ends.map(\.status) == [204, 204, 204])
            #expect(try await server.history() == ["update succeeded 1"])
        }
    }

    @Test(
        "are for whoever may read the stack, from the first request to the last",
        arguments: ["preview", "update", "refresh", "destroy"]
    )
    func readersMayPreview(kind: String) async throws {
        try await withReader { server, reader in
            let update = try await server.update(kind, options: #"{"dryRun":true}"#, as: reader)
            let begun = try await beginUpdate(kind, dryRun: true, server, as: reader)
            let path = "/api/stacks/acme/site/dev"
            let encrypted = try await server.send("POST", "\(path)/encrypt", json: #"{"plaintext":"AAE="}"#, as: reader)
            let decrypted = try await server.send("POST", "\(path)/decrypt", json: encrypted.text, as: reader)

            #expect(try await server.send("GET", "\(path)/export", as: reader).status == 200)
            #expect(try await update.renew().status == 200)
            #expect(try await update.events([Save.event(0)]).status == 204)
            #expect(try await update.send("GET", "/events", as: reader).status == 200)
            #expect(try await update.complete().status == 204)
            #expect(begun.status == 200, "\(begun)")
            #expect(decrypted.json["plaintext"].string == "AAE=", "\(decrypted)")
        }
    }

    @Test("are all that a reader may do: updates need the right to write", arguments: ["update", "refresh", "destroy"])
    func readersMayNotUpdate(kind: String) async throws {
        try await withReader { server, reader in
            let id = try await server.make(kind, of: "acme/site/dev")
            let before = try await server.auditActions()
            let program = #"{"name":"site","runtime":"yaml","main":"","description":""}"#

            let refusals = [
                try await server.send("POST", "/api/stacks/acme/site/dev/\(kind)", json: program, as: reader),
                try await server.start(id, of: "acme/site/dev", as: reader),
                try await beginUpdate(kind, dryRun: false, server, as: reader),
            ]

            for refusal in refusals {
                #expect(refusal.status == 403)
                #expect(refusal.message == "Forbidden: this needs the permission 'stack:write'.")
            }
            #expect(try await server.auditActions() == before)
            #expect(try await server.start(id, of: "acme/site/dev").status == 200)
        }
    }

    private func beginUpdate(
        _ kind: String,
        dryRun: Bool,
        _ server: TestServer,
        as caller: TestCaller
    ) async throws -> TestReply {
        let program = """
            {"name":"site","runtime":"yaml","main":"","description":"","options":{"dryRun":\(dryRun)}}
            """
        return try await server.send(
            "POST",
            "/api/stacks/acme/site/dev/begin-update",
            json: #"{"updateKind":"\#(kind)","program":\#(program),"journalVersion":2}"#,
            as: caller
        )
    }

    /// A stack of an organization whose members may only read, and such a member.
    private func withReader(_ body: (TestServer, TestCaller) async throws -> Void) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")
            _ = try await server.database.write { tx in
                try tx.execute("UPDATE organizations SET default_stack_permission = 101 WHERE name = 'acme'")
            }
            try await body(server, .mia)
        }
    }
}
