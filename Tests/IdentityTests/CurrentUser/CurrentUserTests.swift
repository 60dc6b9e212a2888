import HTTPServer
import APITestKit
import Kernel
import TestKit
import Testing

@Suite("The caller's own account")
struct CurrentUserTests {
    @Test("13: shows who one is and where one belongs", arguments: Engine.available)
    func showsAccount(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let reply = try await server.send("GET", "/api/user", as: .mia)

            #expect(reply.status == 200)
            #expect(reply.json["githubLogin"].string == "mia")
            #expect(reply.json["name"].string == "mia")
            #expect(reply.json["siteAdmin"].bool == false)
            #expect(!reply.json["tokenInfo"].exists)
            let organizations = reply.json["organizations"].array
            #expect(organizations.map { $0["githubLogin"].string } == ["mia", "acme"])
            #expect(organizations.map { $0["role"].string } == ["admin", "member"])
        }
    }

    @Test("says who administers the installation")
    func showsSiteAdmin() async throws {
        try await withIdentityServer(.sqlite) { server in
            let reply = try await server.send("GET", "/api/user", as: .root)

            #expect(reply.json["siteAdmin"].bool == true)
        }
    }

    @Test("answers HEAD as GET, without a body")
    func answersHead() async throws {
        try await withIdentityServer(.sqlite) { server in
            let reply = try await server.send("HEAD", "/api/user")

            #expect(reply.status == 200)
            #expect(reply.headers["Content-Type"] == "application/json")
        }
    }

    @Test(
        "4: is shown to nobody without a valid token",
        arguments: [
            nil, "token", "token ", "token nobody", "token test-token-of-de", "token test-token-of-devv",
            "token test-token-of-dev x", "Basic ZGV2OmRldg==", "update-token test-token-of-dev", "test-token-of-dev",
            "token \u{00e9}", "token \(String(repeating: "x", count: 300))",
        ]
    )
    func refusesCredentials(authorization: String?) async throws {
        try await withIdentityServer(.sqlite) { server in
            let caller = TestCaller(authorization: authorization)

            let reply = try await server.send("GET", "/api/user", as: caller)

            #expect(reply.status == 401)
            #expect(reply.message == "Unauthorized: No credentials provided or are invalid.")
        }
    }

    @Test(
        "takes the scheme in any case, and Bearer",
        arguments: ["token", "Token", "TOKEN", "Bearer", "bearer", "token  "]
    )
    func takesSchemes(scheme: String) async throws {
        try await withIdentityServer(.sqlite) { server in
            let caller = TestCaller(authorization: "\(scheme) test-token-of-dev")

            let reply = try await server.send("GET", "/api/user", as: caller)

            #expect(reply.status == 200)
        }
    }

    @Test("refuses two credentials")
    func refusesTwoCredentials() async throws {
        try await withIdentityServer(.sqlite) { server in
            let request = TestRequest("GET", "/api/user", headers: ["Authorization": "token test-token-of-mia"])

            let reply = try await server.send(request, as: .dev)

            #expect(reply.status == 400)
        }
    }
}
