import APITestKit
import TestKit
import Testing

@Suite("Who may do what with a stack")
struct StackAccessTests {
    private let path = "/api/stacks/acme/site/dev"

    @Test("is listed with who made it", arguments: Engine.available)
    func lists(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev", as: .mia)

            let reply = try await server.send("GET", "\(path)/collaborators")

            #expect(reply.json["stackCreatorUserName"].string == "mia")
            #expect(reply.json["users"].array.count == 1)
            #expect(reply.json["users"][0]["user"]["githubLogin"].string == "mia")
            #expect(reply.json["users"][0]["permission"].int == 104)
            #expect(try await server.send("GET", "\(path)/teams").text == #"{"projectName":"site","teams":[]}"#)
        }
    }

    @Test("says for a member where each right comes from", arguments: Engine.available)
    func showsMember(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let base = "/api/console/orgs/acme/members"

            let dev = try await server.send("GET", "\(base)/dev/stacks/site/dev")
            let mia = try await server.send("GET", "\(base)/mia/stacks/site/dev")

            #expect(dev.json["organizationRole"].string == "admin")
            #expect(dev.json["explicitPermission"].int == 104)
            #expect(mia.json["userInfo"]["githubLogin"].string == "mia")
            #expect(mia.json["organizationRole"].string == "member")
            #expect(mia.json["organizationDefault"].int == 102)
            #expect(mia.json["explicitPermission"].int == 0)
            #expect(mia.json["teamPermissions"].array.isEmpty)
            #expect(try await server.send("GET", "\(base)/eve/stacks/site/dev").status == 404)
        }
    }

    @Test("loses a direct grant, and only that", arguments: Engine.available)
    func removes(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev", as: .mia)

            let removed = try await server.send("DELETE", "\(path)/collaborators/mia")
            let again = try await server.send("DELETE", "\(path)/collaborators/mia")

            #expect(removed.status == 204)
            #expect(again.status == 404)
            #expect(try await server.send("GET", path, as: .mia).status == 200)
            #expect(try await server.send("DELETE", path, as: .mia).status == 403)
        }
    }

    @Test("is for those who administer the stack", arguments: Engine.available)
    func needsPermission(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            for (caller, status) in [(TestCaller.stranger, 401), (.eve, 404), (.mia, 403)] {
                #expect(try await server.send("GET", "\(path)/collaborators", as: caller).status == status)
                #expect(try await server.send("DELETE", "\(path)/collaborators/dev", as: caller).status == status)
                let member = "/api/console/orgs/acme/members/dev/stacks/site/dev"
                #expect(try await server.send("GET", member, as: caller).status == status)
            }
        }
    }
}
