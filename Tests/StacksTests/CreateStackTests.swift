import Identity
import APITestKit
import TestKit
import Testing

@Suite("Making a stack")
struct CreateStackTests {
    @Test("makes it and its project, and records it", arguments: Engine.available)
    func creates(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            let reply = try await server.send("POST", "/api/stacks/acme/site", json: #"{"stackName":"dev"}"#)

            #expect(reply.status == 200)
            #expect(reply.json.names.allSatisfy { $0 == "messages" })
            let stack = try await server.send("GET", "/api/stacks/acme/site/dev")
            #expect(stack.json["orgName"].string == "acme")
            #expect(stack.json["projectName"].string == "site")
            #expect(stack.json["stackName"].string == "dev")
            #expect(stack.json["version"].int == 0)
            #expect(stack.json["activeUpdate"].string == "")
            #expect(stack.json["id"].string?.isEmpty == false)
            #expect(!stack.json["config"].exists)
            #expect(!stack.json["currentOperation"].exists)
            #expect(try await server.send("HEAD", "/api/stacks/acme/site").isSuccess)
            #expect(try await server.auditActions() == ["stack-created"])
        }
    }

    @Test("keeps the tags it was made with", arguments: Engine.available)
    func keepsTags(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            let tags = #"{"pulumi:project":"site","vcs:owner":"Ünï","a.b-c_d:e":""}"#

            try await server.createStack("acme/site/dev", tags: tags)

            #expect(
                try await server.tags(of: "acme/site/dev")
                    == ["pulumi:project": "site", "vcs:owner": "Ünï", "a.b-c_d:e": ""]
            )
        }
    }

    @Test("is possible in one's own account", arguments: Engine.available)
    func createsInOwnAccount(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("mia/site/dev", as: .mia)

            #expect(try await server.send("GET", "/api/stacks/mia/site/dev", as: .mia).status == 200)
            #expect(try await server.send("GET", "/api/stacks/mia/site/dev", as: .dev).status == 404)
        }
    }

    @Test("19: is refused for a name that is taken, in the words that clients look for", arguments: Engine.available)
    func refusesTakenName(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            let reply = try await server.send("POST", "/api/stacks/acme/site", json: #"{"stackName":"dev"}"#, as: .mia)

            #expect(reply.status == 409)
            #expect(reply.message?.contains("already exists") == true)
            #expect(reply.json["errors"][0]["errorType"].string == "already_exists")
        }
    }

    @Test("tells names apart by case", arguments: Engine.available)
    func tellsCaseApart(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.createStack("acme/site/Dev")
            try await server.createStack("acme/Site/dev")

            #expect(try await server.stackExists("acme/site/dev"))
            #expect(try await !server.stackExists("acme/site/DEV"))
            #expect(try await server.send("HEAD", "/api/stacks/acme/SITE").status == 404)
        }
    }

    @Test("21: lets one of many that ask for the same name at once have it", arguments: Engine.available)
    func createsOnce(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await server.send("POST", "/api/stacks/acme/site", json: #"{"stackName":"dev"}"#).status
                    }
                }
                var statuses: [Int] = []
                for try await status in group { statuses.append(status) }
                return statuses.sorted()
            }

            #expect(statuses == [200] + Array(repeating: 409, count: 7))
            #expect(try await server.auditActions() == ["stack-created"])
        }
    }

    @Test(
        "9, 20: is refused with the name of the field, and makes nothing",
        arguments: [
            ("{}", "stackName"),
            (#"{"stackName":null}"#, "stackName"),
            (#"{"stackName":5}"#, "stackName"),
            (#"{"stackName":""}"#, "stackName"),
            (#"{"stackName":"."}"#, "stackName"),
            (#"{"stackName":".."}"#, "stackName"),
            (#"{"stackName":"a b"}"#, "stackName"),
            (#"{"stackName":"a/b"}"#, "stackName"),
            (#"{"stackName":"ä"}"#, "stackName"),
            (#"{"stackName":"dev\u0000"}"#, "stackName"),
            (#"{"stackName":"dev","stackName":"prod"}"#, "body"),
            (#"{"stackName":"dev","tags":[]}"#, "tags"),
            (#"{"stackName":"dev","tags":{"a":1}}"#, "tags.a"),
            (#"{"stackName":"dev","tags":{"a b":"x"}}"#, "tags.a b"),
            (#"{"stackName":"dev","teams":"x"}"#, "teams"),
            (#"{"stackName":"dev","teams":["unknown"]}"#, "teams"),
            (#"{"stackName":"dev""#, "body"),
            ("[]", "body"),
            ("dev", "body"),
            ("", "body"),
        ]
    )
    func refusesBody(json: String, field: String) async throws {
        try await withStackServer(.sqlite) { server in
            let reply = try await server.send("POST", "/api/stacks/acme/site", json: json)

            #expect(reply.status == 400)
            #expect(reply.message?.hasPrefix("Bad Request: \(field)") == true, "\(reply)")
            #expect(try await server.send("HEAD", "/api/stacks/acme/site").status == 404)
        }
    }

    @Test("20: takes names of 100 letters and refuses one more", arguments: [(100, 200), (101, 400)])
    func limitsNames(length: Int, status: Int) async throws {
        try await withStackServer(.sqlite) { server in
            let name = String(repeating: "n", count: length)

            let stack = try await server.send("POST", "/api/stacks/acme/site", json: #"{"stackName":"\#(name)"}"#)
            let project = try await server.send("POST", "/api/stacks/acme/\(name)", json: #"{"stackName":"dev"}"#)

            #expect(stack.status == status)
            #expect(project.status == status)
        }
    }

    @Test("takes a tag's value of 256 bytes and refuses one more", arguments: [(256, 200), (257, 400)])
    func limitsTagValues(length: Int, status: Int) async throws {
        try await withStackServer(.sqlite) { server in
            let json = #"{"stackName":"dev","tags":{"a":"\#(String(repeating: "v", count: length))"}}"#

            let reply = try await server.send("POST", "/api/stacks/acme/site", json: json)

            #expect(reply.status == status)
        }
    }

    @Test("10: ignores fields that the contract does not have")
    func ignoresUnknownFields() async throws {
        try await withStackServer(.sqlite) { server in
            let json = #"{"stackName":"dev","future":{"deep":[1,{"a":null}]}}"#

            let reply = try await server.send("POST", "/api/stacks/acme/site", json: json)

            #expect(reply.status == 200)
        }
    }

    @Test(
        "is refused where the caller has no business",
        arguments: [
            (TestCaller.stranger, "acme/site", 401), (.eve, "acme/site", 404), (.root, "acme/site", 404),
            (.dev, "nowhere/site", 404), (.dev, "a/site", 400), (.dev, "acme/a%20b", 400), (.dev, "acme/..", 400),
            (.stranger, "a/b%20c", 401),
        ]
    )
    func refusesCallers(caller: TestCaller, project: String, status: Int) async throws {
        try await withStackServer(.sqlite) { server in
            let reply = try await server.send(
                "POST",
                "/api/stacks/\(project)",
                json: #"{"stackName":"dev"}"#,
                as: caller
            )

            #expect(reply.status == status)
            #expect(try await server.auditActions().isEmpty)
        }
    }

    @Test("is not among the rights of somebody who pays the bills", arguments: Engine.available)
    func refusesBillingManager(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            let bill = try await server.addUser("bill", as: .billingManager)

            let reply = try await server.send("POST", "/api/stacks/acme/site", json: #"{"stackName":"dev"}"#, as: bill)

            #expect(reply.status == 403)
            #expect(reply.message?.contains("stack:create") == true)
        }
    }
}
