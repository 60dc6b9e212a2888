import APITestKit
import Persistence
import TestKit
import Testing

@Suite("Deleting a stack")
struct DeleteStackTests {
    @Test("takes it away and frees its name at once", arguments: Engine.available)
    func deletes(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev", tags: #"{"a":"b"}"#)
            let old = try await server.send("GET", "/api/stacks/acme/site/dev").json["id"].string

            let reply = try await server.send("DELETE", "/api/stacks/acme/site/dev?force=false")

            #expect(reply.status == 204)
            #expect(reply.body.isEmpty)
            #expect(try await !server.stackExists("acme/site/dev"))
            #expect(try await server.auditActions() == ["stack-created", "stack-deleted"])
            try await server.createStack("acme/site/dev")
            let new = try await server.send("GET", "/api/stacks/acme/site/dev")
            #expect(new.json["id"].string != old)
            #expect(new.json["version"].int == 0)
            #expect(try await server.tags(of: "acme/site/dev").isEmpty)
        }
    }

    @Test("ends the previews that look at it, which nobody could end later", arguments: Engine.available)
    func endsPreviews(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.createStack("acme/site/other")
            _ = try await server.begin("preview", of: "acme/site/dev")
            _ = try await server.begin("preview", of: "acme/site/other")

            let reply = try await server.send("DELETE", "/api/stacks/acme/site/dev?force=true")

            #expect(reply.status == 204)
            let statuses = try await server.database.read { tx in
                try tx.all("SELECT status FROM updates ORDER BY status") { try $0.text(0) }
            }
            #expect(statuses == ["cancelled", "running"])
        }
    }

    @Test("may be done again and again under one name", arguments: Engine.available)
    func deletesAgain(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            for _ in 0..<3 {
                try await server.createStack("acme/site/dev")
                #expect(try await server.send("DELETE", "/api/stacks/acme/site/dev").status == 204)
            }
            #expect(try await server.send("DELETE", "/api/stacks/acme/site/dev").status == 404)
        }
    }

    @Test(
        "28: spares one with resources, in the words that clients compare, unless it is forced",
        arguments: Engine.available
    )
    func sparesResources(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await setResourceCount(1, server)

            let plain = try await server.send("DELETE", "/api/stacks/acme/site/dev")
            let unforced = try await server.send("DELETE", "/api/stacks/acme/site/dev?force=false")
            let existed = try await server.stackExists("acme/site/dev")
            let forced = try await server.send("DELETE", "/api/stacks/acme/site/dev?force=true")

            for refusal in [plain, unforced] {
                #expect(refusal.status == 400)
                #expect(refusal.message == "Bad Request: Stack still contains resources.")
            }
            #expect(existed)
            #expect(forced.status == 204)
        }
    }

    @Test("is possible when no resource is left", arguments: Engine.available)
    func deletesEmpty(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await setResourceCount(0, server)

            let reply = try await server.send("DELETE", "/api/stacks/acme/site/dev?force=false")

            #expect(reply.status == 204)
        }
    }

    @Test("refuses what is no yes or no", arguments: ["maybe", "2", "yes", "true&force=false"])
    func refusesForce(force: String) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")

            let reply = try await server.send("DELETE", "/api/stacks/acme/site/dev?force=\(force)")

            #expect(reply.status == 400)
            #expect(reply.message?.contains("force:") == true, "\(reply)")
            #expect(try await server.stackExists("acme/site/dev"))
        }
    }

    @Test("needs the right to, which a member has not by default", arguments: Engine.available)
    func needsPermission(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.createStack("acme/site/mine", as: .mia)

            let expected: [(String, TestCaller, Int)] = [
                ("dev", .stranger, 401), ("dev", .eve, 404), ("dev", .mia, 403), ("none", .dev, 404),
                ("mine", .mia, 204),
            ]
            for (stack, caller, status) in expected {
                let reply = try await server.send("DELETE", "/api/stacks/acme/site/\(stack)?force=true", as: caller)
                #expect(reply.status == status)
            }
            #expect(try await server.stackExists("acme/site/dev"))
        }
    }

    private func setResourceCount(_ count: Int, _ server: TestServer) async throws {
        _ = try await server.database.write { tx in
            try tx.execute("UPDATE stacks SET resource_count = \(count)")
        }
    }
}
