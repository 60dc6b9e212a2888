import APITestKit
import Identity
import TestKit
import Testing

@Suite("A person's token that is good in one organization only")
struct ConfinedTokenTests {
    @Test("shows that organization and no other one", arguments: Engine.available)
    func showsOne(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let caller = try await server.addToken(of: "mia")

            let user = try await server.send("GET", "/api/user", as: caller)
            let standard = try await server.send("GET", "/api/user/organizations/default", as: caller)

            #expect(user.json["githubLogin"].string == "mia" && !user.json["tokenInfo"].exists)
            #expect(user.json["organizations"].array.map { $0["githubLogin"].string } == ["acme"])
            #expect(standard.json["GitHubLogin"].string == "acme")
        }
    }

    @Test("cannot make, see or delete tokens that are good everywhere", arguments: Engine.available)
    func makesNoTokens(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let caller = try await server.addToken(of: "dev")
            let own = try await server.createToken()

            let requests = [
                ("POST", "/api/user/tokens"), ("GET", "/api/user/tokens"), ("DELETE", "/api/user/tokens/\(own.id)"),
                ("POST", "/api/orgs/acme/tokens"), ("POST", "/api/user/organizations/acme/default"),
            ]
            for (method, path) in requests {
                let reply = try await server.send(
                    method,
                    path,
                    json: path.contains("orgs") ? #"{"name":"x"}"# : "{}",
                    as: caller
                )
                #expect(reply.status == 403, "\(method) \(path)")
                #expect(reply.message?.contains("a person's own token") == true, "\(method) \(path)")
            }
            #expect(try await server.send("GET", "/api/user", as: .token(own.text)).status == 200)
        }
    }

    @Test("has the role of its person there, and is a stranger elsewhere", arguments: Engine.available)
    func hasRole(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let admin = try await server.addToken(of: "dev")
            let member = try await server.addToken(of: "mia")
            let outsider = try await server.addToken(of: "eve")

            #expect(try await server.send("GET", "/api/orgs/acme/tokens", as: admin).status == 200)
            #expect(try await server.send("GET", "/api/orgs/acme/tokens", as: member).status == 403)
            #expect(try await server.send("GET", "/api/orgs/acme/tokens", as: outsider).status == 404)
            #expect(try await server.send("GET", "/api/orgs/dev/tokens", as: admin).status == 404)
            #expect(try await server.send("GET", "/api/orgs/other/tokens", as: outsider).status == 404)
        }
    }

    @Test("carries none of the rights of an administrator of the installation", arguments: Engine.available)
    func isNoSiteAdministrator(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let caller = try await server.addToken(of: "root")

            #expect(try await server.send("GET", "/api/user", as: caller).json["siteAdmin"].bool == false)
            #expect(try await server.send("GET", "/api/user", as: .root).json["siteAdmin"].bool == true)
        }
    }
}
