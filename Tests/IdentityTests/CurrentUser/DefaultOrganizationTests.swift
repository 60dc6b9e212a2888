import APITestKit
import TestKit
import Testing

@Suite("The default organization")
struct DefaultOrganizationTests {
    @Test(
        "15: is the first shared one as long as none was chosen, else one's own",
        arguments: Engine.available,
        [(TestCaller.dev, "acme"), (.mia, "acme"), (.eve, "other"), (.root, "root")]
    )
    func defaults(engine: Engine, caller: (TestCaller, String)) async throws {
        try await withIdentityServer(engine) { server in
            let reply = try await server.send("GET", "/api/user/organizations/default", as: caller.0)

            #expect(reply.status == 200)
            #expect(reply.json["GitHubLogin"].string == caller.1)
            #expect(reply.json["Messages"].exists)
        }
    }

    @Test("is the one that was chosen", arguments: Engine.available)
    func isChosen(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let choice = try await server.send("POST", "/api/user/organizations/dev/default")

            #expect(choice.isSuccess)
            let reply = try await server.send("GET", "/api/user/organizations/default")
            #expect(reply.json["GitHubLogin"].string == "dev")
            #expect(try await server.auditActions() == ["default-organization-changed"])
            let other = try await server.send("GET", "/api/user/organizations/default", as: .mia)
            #expect(other.json["GitHubLogin"].string == "acme")
        }
    }

    @Test(
        "cannot be one that the caller does not belong to or that has no such name",
        arguments: [("other", 404), ("nowhere", 404), ("ACME", 404), ("a", 400), ("a%20b", 400), ("a%2Fb%2Fc", 400)]
    )
    func refuses(name: String, status: Int) async throws {
        try await withIdentityServer(.sqlite) { server in
            let reply = try await server.send("POST", "/api/user/organizations/\(name)/default")

            #expect(reply.status == status)
            let current = try await server.send("GET", "/api/user/organizations/default")
            #expect(current.json["GitHubLogin"].string == "acme")
        }
    }

    @Test("is no business of a stranger", arguments: [("GET", "default"), ("POST", "acme/default")])
    func refusesStrangers(method: String, path: String) async throws {
        try await withIdentityServer(.sqlite) { server in
            let reply = try await server.send(method, "/api/user/organizations/\(path)", as: .stranger)

            #expect(reply.status == 401)
        }
    }
}
