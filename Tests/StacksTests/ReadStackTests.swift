import HTTPServer
import APITestKit
import Identity
import TestKit
import Testing

@Suite("Reading a stack")
struct ReadStackTests {
    @Test("26: hides it from everybody who has no right to read it", arguments: Engine.available)
    func hides(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let bill = try await server.addUser("bill", as: .billingManager)

            let expected: [(TestCaller, Int)] = [
                (.dev, 200), (.mia, 200), (.eve, 404), (.root, 404), (bill, 404), (.stranger, 401),
            ]
            for (caller, status) in expected {
                let reply = try await server.send("GET", "/api/stacks/acme/site/dev", as: caller)
                #expect(reply.status == status)
            }
        }
    }

    @Test("18: shows a fresh one as never updated, with the tags it was made with", arguments: Engine.available)
    func showsFresh(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            let made = try await server.send(
                "POST",
                "/api/stacks/acme/site",
                json: #"{"stackName":"dev","tags":{"a":"1","pulumi:project":"site"}}"#
            )

            let stack = try await server.send("GET", "/api/stacks/acme/site/dev")
            let list = try await server.send("GET", "/api/user/stacks")

            #expect(made.status == 200)
            #expect(made.text == "{}")
            #expect(stack.json["version"].int == 0)
            #expect(stack.json["activeUpdate"].string == "")
            #expect(stack.json["tags"].strings == ["a": "1", "pulumi:project": "site"])
            #expect(!stack.json["config"].exists)
            #expect(["orgName", "projectName", "stackName"].map { stack.json[$0].string } == ["acme", "site", "dev"])
            #expect(list.json["stacks"].array.map { $0["stackName"].string } == ["dev"])
            #expect(!list.json["stacks"][0]["lastUpdate"].exists)
        }
    }

    @Test("23: finds a project from its first stack to its last", arguments: Engine.available)
    func findsProject(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            let before = try await server.send("HEAD", "/api/stacks/acme/site")
            try await server.createStack("acme/site/dev")
            let during = try await server.send("HEAD", "/api/stacks/acme/site")
            _ = try await server.send("DELETE", "/api/stacks/acme/site/dev?force=false")
            let after = try await server.send("HEAD", "/api/stacks/acme/site")

            #expect(before.status == 404)
            #expect(during.isSuccess)
            #expect(after.status == 404)
        }
    }

    @Test("tells the same of what is hidden and of what is not there", arguments: Engine.available)
    func tellsNothing(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            let hidden = try await server.send("GET", "/api/stacks/acme/site/dev", as: .eve)
            let missing = try await server.send("GET", "/api/stacks/acme/site/none", as: .eve)
            let nowhere = try await server.send("GET", "/api/stacks/nowhere/site/dev", as: .eve)
            let own = try await server.send("GET", "/api/stacks/other/site/dev", as: .eve)

            #expect(hidden.message == "Not Found: stack 'acme/site/dev' not found")
            #expect(missing.message == "Not Found: stack 'acme/site/none' not found")
            #expect(nowhere.message == "Not Found: stack 'nowhere/site/dev' not found")
            #expect(own.message == "Not Found: stack 'other/site/dev' not found")
        }
    }

    @Test(
        "takes names as they are encoded in the path",
        arguments: [
            ("acme/site/d%65v", 200), ("acme//site/dev", 200), ("acme/site/dev/", 200), ("acme/site/DEV", 404),
            ("acme/site/de%76%20", 400), ("acme/site/%2E%2E", 400), ("acme/site/dev%2Fx", 400), ("acme/site/dev%", 400),
            ("acme/site/dev%00", 400), ("acme/site/%FF", 400),
        ]
    )
    func readsPath(path: String, status: Int) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")

            let reply = try await server.send("GET", "/api/stacks/\(path)")

            #expect(reply.status == status)
        }
    }

    @Test("answers whether a project has a stack", arguments: Engine.available)
    func answersProjects(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            let expected: [(String, TestCaller, Int)] = [
                ("acme/site", .dev, 200), ("acme/site", .mia, 200), ("acme/other", .dev, 404), ("acme/Site", .dev, 404),
                ("acme/site", .eve, 404), ("acme/site", .stranger, 401), ("nowhere/site", .dev, 404),
                ("other/site", .eve, 404),
            ]
            for (project, caller, status) in expected {
                let reply = try await server.send("HEAD", "/api/stacks/\(project)", as: caller)
                let isExpected = status == 200 ? reply.isSuccess : reply.status == status
                #expect(isExpected, "\(project) answers \(reply.status)")
                #expect(reply.headers["Content-Encoding"] == nil)
            }
            _ = try await server.send("DELETE", "/api/stacks/acme/site/dev?force=false")
            #expect(try await server.send("HEAD", "/api/stacks/acme/site").status == 404)
        }
    }
}
