import APITestKit
import TestKit
import Testing

@Suite("A stack's configuration in an environment")
struct StackConfigTests {
    private let path = "/api/stacks/acme/site/dev/config"

    @Test("is set, shown with the stack, and taken away again", arguments: Engine.available)
    func roundTrip(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let json = #"{"environment":"site/dev@3","secretsProvider":"default","encryptionSalt":"v1:x"}"#

            let set = try await server.send("PUT", path, json: json)
            let read = try await server.send("GET", path)
            let stack = try await server.send("GET", "/api/stacks/acme/site/dev")
            let deleted = try await server.send("DELETE", path)

            #expect(set.status == 200)
            for config in [set.json, read.json, stack.json["config"]] {
                #expect(config["environment"].string == "site/dev@3")
                #expect(config["secretsProvider"].string == "default")
                #expect(config["encryptionSalt"].string == "v1:x")
                #expect(!config["encryptedKey"].exists)
            }
            #expect(deleted.status == 204)
            #expect(try await server.send("GET", path).status == 404)
            #expect(try await !server.send("GET", "/api/stacks/acme/site/dev").json["config"].exists)
        }
    }

    @Test("may come with the making of the stack", arguments: Engine.available)
    func comesWithCreation(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            let json = #"{"stackName":"dev","config":{"environment":"dev"}}"#

            let made = try await server.send("POST", "/api/stacks/acme/site", json: json)

            #expect(made.isSuccess)
            #expect(try await server.send("GET", path).json["environment"].string == "dev")
        }
    }

    @Test("is not there for a stack that never had it", arguments: Engine.available)
    func isAbsent(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            #expect(try await server.send("GET", path).status == 404)
            #expect(try await server.send("DELETE", path).status == 204)
            #expect(try await server.send("PUT", path, json: "{}").status == 400)
            #expect(try await server.send("GET", "/api/stacks/acme/site/none/config").status == 404)
        }
    }

    @Test(
        "names an environment that can be one",
        arguments: ["", "/", "a/", "/a", "a/b/c", "a@", "@1", "a b", "..", "a/..", "a@1@2"]
    )
    func refusesEnvironment(name: String) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")

            let reply = try await server.send("PUT", path, json: #"{"environment":"\#(name)"}"#)

            #expect(reply.status == 400)
            #expect(reply.message?.contains("environment:") == true, "\(reply)")
            #expect(try await server.send("GET", path).status == 404)
        }
    }

    @Test("needs the right to write for a change", arguments: Engine.available)
    func needsPermission(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            for (caller, status) in [(TestCaller.stranger, 401), (.eve, 404), (.mia, 200)] {
                let reply = try await server.send("PUT", path, json: #"{"environment":"e"}"#, as: caller)
                #expect(reply.status == status)
            }
        }
    }
}
