import APITestKit
import TestKit
import Testing

@Suite("Renaming a stack")
struct RenameStackTests {
    @Test("answers under the new name only, and records it", arguments: Engine.available)
    func renames(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev", tags: #"{"a":"b","pulumi:project":"site"}"#)

            let reply = try await server.send(
                "POST",
                "/api/stacks/acme/site/dev/rename",
                json: #"{"newName":"prod","newProject":"site"}"#
            )

            #expect(reply.status == 200)
            #expect(reply.json["updateId"].string?.isEmpty == false)
            #expect(try await server.stackExists("acme/site/prod"))
            #expect(try await !server.stackExists("acme/site/dev"))
            #expect(try await server.tags(of: "acme/site/prod") == ["a": "b", "pulumi:project": "site"])
            #expect(try await server.auditActions() == ["stack-created", "stack-renamed"])
        }
    }

    @Test("moves it to another project, and its tag follows", arguments: Engine.available)
    func movesProject(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev", tags: #"{"pulumi:project":"site"}"#)

            let reply = try await server.send(
                "POST",
                "/api/stacks/acme/site/dev/rename",
                json: #"{"newName":"","newProject":"shop"}"#
            )

            #expect(reply.status == 200)
            #expect(try await server.tags(of: "acme/shop/dev") == ["pulumi:project": "shop"])
            #expect(try await server.send("HEAD", "/api/stacks/acme/site").status == 404)
            #expect(try await server.send("HEAD", "/api/stacks/acme/shop").isSuccess)
        }
    }

    @Test("30: writes the new names into the state, and leaves other stacks' names alone", arguments: Engine.available)
    func rewritesState(engine: Engine) async throws {
        let state = { (project: String, stack: String) in
            let urn = { (name: String) in "urn:pulumi:\(stack)::\(project)::pkg:m:T::\(name)" }
            let provider = "urn:pulumi:\(stack)::\(project)::pulumi:providers:pkg::p"
            let owner = #"{"owner":"acme","project":"\#(project)","stack":"\#(stack)"}"#
            return TestServer.state([
                TestServer.root(project, stack, outputs: #"{"n":1.10}"#),
                #"{"urn":"\#(provider)","custom":true,"type":"pulumi:providers:pkg","id":"the-id"}"#,
                """
                {"urn":"\(urn("a"))","custom":true,"type":"pkg:m:T","provider":"\(provider)::the-id",\
                "parent":"\(TestServer.rootURN(project, stack))","dependencies":["\(provider)"],\
                "inputs":{"other":"urn:pulumi:prod::site::pkg:m:T::x","text":"dev site"}}
                """,
            ])
            .replacing(#""resources""#, with: #""secrets_providers":{"type":"service","state":\#(owner)},"resources""#)
        }
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev", tags: #"{"pulumi:project":"site"}"#)
            let path = "/api/stacks/acme/site/dev"
            let secret = try await server.send("POST", "\(path)/encrypt", json: #"{"plaintext":"AA=="}"#)
            _ = try await server.send("POST", "\(path)/import", json: state("site", "dev"))

            let reply = try await server.send("POST", "\(path)/rename", json: #"{"newName":"s2","newProject":"p2"}"#)
            let opened = try await server.send("POST", "/api/stacks/acme/p2/s2/decrypt", json: secret.text)

            #expect(reply.status == 200)
            #expect(try await !server.stackExists("acme/site/dev"))
            #expect(try await server.export("acme/p2/s2").text == state("p2", "s2"))
            #expect(try await server.export("acme/p2/s2", version: 1).text == state("site", "dev"))
            #expect(opened.json["plaintext"].string == "AA==")
            #expect(try await server.tags(of: "acme/p2/s2") == ["pulumi:project": "p2"])
            #expect(try await server.history(of: "acme/p2/s2") == ["rename succeeded 2", "import succeeded 1"])
        }
    }

    @Test("lets updates go on from the state under the new names", arguments: Engine.available)
    func goesOn(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.importState([TestServer.root("site", "dev")], into: "acme/site/dev")
            _ = try await server.send("POST", "/api/stacks/acme/site/dev/rename", json: #"{"newName":"prod"}"#)

            let update = try await server.update(of: "acme/site/prod", journal: 2)
            let entry = Journal.entry(
                2,
                kind: 1,
                1,
                old: 0,
                state: TestServer.root("site", "prod", outputs: #"{"v":1}"#)
            )
            let saved = try await update.journal([Journal.provider, entry])

            #expect(saved.status == 204)
            #expect(try await update.complete().status == 204)
            #expect(try await server.resources("acme/site/prod") == ["\(TestServer.rootURN("site", "prod"))@1"])
        }
    }

    @Test("frees the old name at once, also to go back to", arguments: Engine.available)
    func freesName(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let id = try await server.send("GET", "/api/stacks/acme/site/dev").json["id"].string

            _ = try await server.send("POST", "/api/stacks/acme/site/dev/rename", json: #"{"newName":"prod"}"#)
            _ = try await server.send("POST", "/api/stacks/acme/site/prod/rename", json: #"{"newName":"dev"}"#)
            try await server.createStack("acme/site/prod")

            #expect(try await server.send("GET", "/api/stacks/acme/site/dev").json["id"].string == id)
            #expect(try await server.send("GET", "/api/stacks/acme/site/prod").json["id"].string != id)
        }
    }

    @Test(
        "31: is refused without side effects",
        arguments: [
            (#"{"newName":"taken"}"#, 409, "Conflict: stack 'acme/site/taken' already exists"),
            (#"{"newName":"dev","newProject":"site"}"#, 400, "No rename to apply."),
            (#"{"newName":"dev"}"#, 400, "No rename to apply."),
            (#"{"newName":"","newProject":""}"#, 400, "No rename to apply."),
            ("{}", 400, "No rename to apply."),
            (#"{"newName":"a b"}"#, 400, "Bad Request: newName: must "),
            (#"{"newName":".."}"#, 400, "Bad Request: newName: must "),
            (#"{"newProject":"a/b"}"#, 400, "Bad Request: newProject: must "),
            (#"{"newName":5}"#, 400, "Bad Request: newName: "),
            (#"{"newName":"#, 400, "Bad Request: body: "),
            ("", 400, "Bad Request: body: "),
        ]
    )
    func refuses(json: String, status: Int, message: String) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")
            try await server.createStack("acme/site/taken")

            let reply = try await server.send("POST", "/api/stacks/acme/site/dev/rename", json: json)

            #expect(reply.status == status)
            #expect(reply.message?.hasPrefix(message) == true, "\(reply)")
            #expect(try await server.stackExists("acme/site/dev"))
            #expect(try await server.stackExists("acme/site/taken"))
        }
    }

    @Test("needs the right to, which a member has not by default", arguments: Engine.available)
    func needsPermission(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.createStack("acme/site/mine", as: .mia)

            let expected: [(String, TestCaller, Int)] = [
                ("dev", .stranger, 401), ("dev", .eve, 404), ("dev", .mia, 403), ("none", .dev, 404),
                ("mine", .mia, 200), ("dev", .dev, 200),
            ]
            for (stack, caller, status) in expected {
                let reply = try await server.send(
                    "POST",
                    "/api/stacks/acme/site/\(stack)/rename",
                    json: #"{"newName":"renamed-\#(stack)"}"#,
                    as: caller
                )
                #expect(reply.status == status)
                if status == 403 { #expect(reply.message?.contains("stack:rename") == true) }
            }
        }
    }

    @Test("lets one of two that go for the same name have it", arguments: Engine.available)
    func renamesOnce(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/a")
            try await server.createStack("acme/site/b")

            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for name in ["a", "b"] {
                    group.addTask {
                        let target = "/api/stacks/acme/site/\(name)/rename"
                        return try await server.send("POST", target, json: #"{"newName":"c"}"#).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }.sorted()
            }

            #expect(statuses == [200, 409])
            let list = try await server.send("GET", "/api/user/stacks")
            #expect(list.json["stacks"].array.count == 2)
        }
    }
}
