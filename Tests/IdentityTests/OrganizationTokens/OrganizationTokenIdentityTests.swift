import APITestKit
import Identity
import Kernel
import Persistence
import TestKit
import Testing

@Suite("Who presents a token of an organization")
struct OrganizationTokenIdentityTests {
    @Test("14: is the organization, and says which token it is", arguments: Engine.available)
    func isOrganization(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let token = try await server.createOrganizationToken("ci")

            let user = try await server.send("GET", "/api/user", as: token.caller)

            #expect(user.status == 200)
            #expect(user.json["githubLogin"].string == "acme")
            #expect(user.json["tokenInfo"]["organization"].string == "acme")
            #expect(user.json["tokenInfo"]["name"].string == "ci")
            #expect(user.json["tokenInfo"]["team"].string == "")
            #expect(user.json["siteAdmin"].bool == false)
            #expect(user.json["organizations"].array.map { $0["githubLogin"].string } == ["acme"])
            #expect(user.json["organizations"][0]["role"].string == "member")
        }
    }

    @Test("14: acts as an administrator when it was made so", arguments: Engine.available)
    func isAdministrator(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let token = try await server.createOrganizationToken(isAdmin: true)

            let user = try await server.send("GET", "/api/user", as: token.caller)

            #expect(user.json["organizations"][0]["role"].string == "admin")
        }
    }

    @Test("has the organization as its default, which it cannot change", arguments: Engine.available)
    func hasDefault(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let token = try await server.createOrganizationToken()

            let standard = try await server.send("GET", "/api/user/organizations/default", as: token.caller)
            let change = try await server.send("POST", "/api/user/organizations/acme/default", as: token.caller)

            #expect(standard.json["GitHubLogin"].string == "acme")
            #expect(change.status == 403)
            #expect(change.message?.contains("token of a person") == true)
        }
    }

    @Test(
        "has no tokens of its own, administrator or not",
        arguments: [("GET", "/api/user/tokens"), ("POST", "/api/user/tokens")],
        [false, true]
    )
    func hasNoTokens(request: (method: String, path: String), isAdmin: Bool) async throws {
        try await withIdentityServer(.sqlite) { server in
            let token = try await server.createOrganizationToken(isAdmin: isAdmin)

            let reply = try await server.send(request.method, request.path, json: "{}", as: token.caller)

            #expect(reply.status == 403)
            #expect(
                reply.message
                    == "Forbidden: this needs the token of a person; the one presented belongs to an organization."
            )
        }
    }

    @Test("is not its maker: other organizations of theirs are not there", arguments: Engine.available)
    func isNotMaker(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let token = try await server.createOrganizationToken(isAdmin: true)

            for organization in ["dev", "other", "nowhere"] {
                let reply = try await server.send("GET", "/api/orgs/\(organization)/tokens", as: token.caller)
                #expect(reply.status == 404, "\(organization)")
            }
        }
    }

    @Test("goes on when its maker has left the organization", arguments: Engine.available)
    func outlivesMembership(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let token = try await server.createOrganizationToken(isAdmin: true)
            try await server.database.write { tx in
                _ = try tx.execute(
                    "DELETE FROM memberships WHERE user_id = (SELECT u.id FROM users u WHERE u.login = 'dev')"
                )
            }

            #expect(try await server.send("GET", "/api/user", as: token.caller).status == 200)
            #expect(try await server.send("GET", "/api/orgs/acme/tokens", as: token.caller).status == 200)
            #expect(try await server.send("GET", "/api/orgs/acme/tokens").status == 404)
        }
    }

    @Test("is refused when the database holds a kind of token that nobody knows", arguments: ["team", "future"])
    func refusesUnknownKinds(kind: String) async throws {
        try await withIdentityServer(.sqlite) { server in
            let token = try await server.createOrganizationToken()
            try await server.database.write { tx in
                _ = try tx.execute("UPDATE access_tokens SET kind = \(kind) WHERE id = \(token.id)")
            }

            #expect(try await server.send("GET", "/api/user", as: token.caller).status == 401)
        }
    }
}
