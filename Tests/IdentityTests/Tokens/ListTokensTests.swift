import Kernel
import APITestKit
import TestKit
import Testing

@Suite("Listing personal access tokens")
struct ListTokensTests {
    @Test("shows one's own, newest first, and never their texts", arguments: Engine.available)
    func lists(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let texts = try await makeTokens(3, server)
            _ = try await server.createToken(#"{"description":"of mia"}"#, as: .mia)

            let reply = try await server.send("GET", "/api/user/tokens")

            #expect(reply.status == 200)
            #expect(descriptions(reply) == ["token 3", "token 2", "token 1", "test token of dev"])
            #expect(texts.allSatisfy { !reply.text.contains($0) })
            let first = reply.json["tokens"][0]
            #expect(first["createdBy"].string == "dev")
            #expect(first["created"].string == "2030-01-01T00:00:03Z")
            #expect(first["admin"].bool == false)
            #expect(!reply.json["continuationToken"].exists)
        }
    }

    @Test("goes on where the page before ended", arguments: Engine.available)
    func pages(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            _ = try await makeTokens(4, server)

            var seen: [[String]] = []
            var target = "/api/user/tokens?maxResults=2"
            while seen.count < 5 {
                let reply = try await server.send("GET", target)
                seen.append(descriptions(reply))
                guard let token = reply.json["continuationToken"].string else { break }
                target = "/api/user/tokens?maxResults=2&continuationToken=\(token)"
            }

            #expect(seen == [["token 4", "token 3"], ["token 2", "token 1"], ["test token of dev"]])
        }
    }

    @Test("shows active ones unless it is asked for others", arguments: Engine.available)
    func filters(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            server.clock.advance(by: .seconds(1))
            _ = try await server.createToken(
                #"{"description":"short","expires":\#(server.clock.now.seconds + 5)}"#
            )
            server.clock.advance(by: .seconds(10))
            _ = try await server.createToken(#"{"description":"Long 100% 'x' \\ _"}"#)

            let expected: [(String, [String])] = [
                ("", ["Long 100% 'x' \\ _", "test token of dev"]),
                ("?filter=active", ["Long 100% 'x' \\ _", "test token of dev"]),
                ("?filter=expired", ["short"]),
                ("?filter=all", ["Long 100% 'x' \\ _", "short", "test token of dev"]),
                ("?filter=all&search=ort", ["short"]),
                ("?search=100%25", ["Long 100% 'x' \\ _"]),
                ("?search=%25", ["Long 100% 'x' \\ _"]),
                ("?search=_", ["Long 100% 'x' \\ _"]),
                ("?search=%5C", ["Long 100% 'x' \\ _"]),
                ("?search='", ["Long 100% 'x' \\ _"]),
                ("?search=nothing", []),
            ]
            for (query, wanted) in expected {
                let reply = try await server.send("GET", "/api/user/tokens\(query)")
                #expect(descriptions(reply) == wanted, "for \(query)")
            }
        }
    }

    @Test(
        "refuses what it did not give out",
        arguments: [
            "?filter=none", "?continuationToken=x", "?continuationToken=!!", "?continuationToken=WyJhIl0",
            "?maxResults=-1", "?maxResults=many", "?maxResults=1&maxResults=2",
        ]
    )
    func refuses(query: String) async throws {
        try await withIdentityServer(.sqlite) { server in
            let reply = try await server.send("GET", "/api/user/tokens\(query)")

            #expect(reply.status == 400)
            let field = query.dropFirst().prefix { $0 != "=" }
            #expect(reply.message?.contains("\(field):") == true, "\(reply)")
        }
    }

    @Test("refuses the token of another filter")
    func refusesForeignToken() async throws {
        try await withIdentityServer(.sqlite) { server in
            _ = try await makeTokens(2, server)
            let page = try await server.send("GET", "/api/user/tokens?maxResults=1")
            let token = try #require(page.json["continuationToken"].string)

            let reply = try await server.send(
                "GET",
                "/api/user/tokens?filter=all&maxResults=1&continuationToken=\(token)"
            )

            #expect(reply.status == 400)
            #expect(reply.message?.contains("continuationToken") == true)
        }
    }

    private func makeTokens(_ count: Int, _ server: TestServer) async throws -> [String] {
        var texts: [String] = []
        for number in 1...count {
            server.clock.advance(by: .seconds(1))
            texts.append(try await server.createToken(#"{"description":"token \#(number)"}"#).text)
        }
        return texts
    }

    private func descriptions(_ reply: TestReply) -> [String] {
        reply.json["tokens"].array.compactMap { $0["description"].string }
    }
}
