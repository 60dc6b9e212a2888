import APITestKit
import TestKit
import Testing

@Suite("Bringing a deleted stack back")
struct RestoreStackTests {
    private let list = "/api/orgs/acme/restore-stack"

    @Test("finds it in the list, newest first, with its last update", arguments: Engine.available)
    func lists(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            for stack in ["one", "two"] {
                try await server.createStack("acme/site/\(stack)")
                if stack == "two" { try await server.run("update", of: "acme/site/two", saving: []) }
                _ = try await server.send("DELETE", "/api/stacks/acme/site/\(stack)?force=true")
                server.clock.advance(by: .seconds(1))
            }
            try await server.createStack("acme/site/three")

            let stacks = try await server.send("GET", list).json["deletedStacks"].array

            #expect(stacks.map { $0["stackName"].string } == ["two", "one"])
            #expect(stacks.map { $0["version"].int } == [1, 0])
            #expect(stacks.map { $0["lastUpdate"]["result"].string } == ["succeeded", "not-started"])
            #expect(stacks.first?["projectName"].string == "site")
        }
    }

    @Test("gives it back as it was: tags, state, history and secrets", arguments: Engine.available)
    func restores(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev", tags: #"{"a":"b"}"#)
            try await server.importState([TestServer.root("site", "dev")], into: "acme/site/dev")
            let path = "/api/stacks/acme/site/dev"
            let secret = try await server.send("POST", "\(path)/encrypt", json: #"{"plaintext":"b3Blbg=="}"#)
            let before = try await server.send("GET", "\(path)/export").text
            let id = try await delete("dev", server)

            let reply = try await server.send("POST", "\(list)/\(id)", json: #"{"stackName":"dev"}"#)

            #expect(reply.status == 204)
            #expect(try await server.tags(of: "acme/site/dev") == ["a": "b"])
            #expect(try await server.send("GET", "\(path)/export").text == before)
            #expect(try await server.send("GET", "\(path)/updates").json["updates"].array.count == 1)
            let opened = try await server.send("POST", "\(path)/decrypt", json: secret.text)
            #expect(opened.json["plaintext"].string == "b3Blbg==")
            #expect(try await server.send("GET", list).json["deletedStacks"].array.isEmpty)
        }
    }

    @Test("under another name writes its state anew", arguments: Engine.available)
    func restoresRenamed(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.importState([TestServer.root("site", "dev")], into: "acme/site/dev")
            let id = try await delete("dev", server)
            try await server.createStack("acme/site/dev")

            let taken = try await server.send("POST", "\(list)/\(id)", json: "{}")
            let reply = try await server.send("POST", "\(list)/\(id)", json: #"{"stackName":"old"}"#)

            #expect(taken.status == 409)
            #expect(reply.status == 204)
            let stack = try await server.send("GET", "/api/stacks/acme/site/old")
            #expect(stack.json["id"].string == id)
            #expect(stack.json["version"].int == 2)
            let exported = try await server.send("GET", "/api/stacks/acme/site/old/export").text
            #expect(exported == TestServer.state([TestServer.root("site", "old")]))
        }
    }

    @Test("is for administrators, of stacks of their organization that were deleted", arguments: Engine.available)
    func refuses(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/live")
            try await server.createStack("acme/site/dev")
            let live = try await server.send("GET", "/api/stacks/acme/site/live").json["id"].string ?? ""
            let id = try await delete("dev", server)

            let unknown = "0194b8a6-0000-7000-8000-000000000001"
            for name in [live, unknown, "x"] {
                #expect(try await server.send("POST", "\(list)/\(name)", json: "{}").status == 404)
            }
            let foreign = "/api/orgs/other/restore-stack/\(id)"
            #expect(try await server.send("POST", foreign, json: "{}", as: .eve).status == 404)
            #expect(try await server.send("POST", "\(list)/\(id)", json: #"{"stackName":"a b"}"#).status == 400)
            for (caller, status) in [(TestCaller.stranger, 401), (.eve, 404), (.mia, 403)] {
                #expect(try await server.send("GET", list, as: caller).status == status)
                #expect(try await server.send("POST", "\(list)/\(id)", json: "{}", as: caller).status == status)
            }
            #expect(try await server.send("POST", "\(list)/\(id)", json: "{}").status == 204)
        }
    }

    /// - Returns: what the stack is brought back by.
    private func delete(_ stack: String, _ server: TestServer) async throws -> String {
        _ = try await server.send("DELETE", "/api/stacks/acme/site/\(stack)?force=true")
        let stacks = try await server.send("GET", list).json["deletedStacks"]
        return try #require(stacks[0]["programId"].string)
    }
}
