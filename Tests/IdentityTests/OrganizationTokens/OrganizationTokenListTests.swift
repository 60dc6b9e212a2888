import APITestKit
import Identity
import Kernel
import TestKit
import Testing

@Suite("The list of an organization's tokens")
struct OrganizationTokenListTests {
    @Test(
        "comes in the order asked for, page by page",
        arguments: Engine.available,
        [
            ("", ["c", "a", "b"]), ("sortBy=created&sortDirection=asc", ["b", "a", "c"]),
            ("sortBy=name", ["a", "b", "c"]), ("sortBy=name&sortDirection=desc", ["c", "b", "a"]),
            ("sortBy=expires", ["a", "c", "b"]), ("sortBy=expires&sortDirection=asc", ["b", "c", "a"]),
            ("sortBy=lastUsed", ["b", "c", "a"]), ("sortBy=lastUsed&sortDirection=asc", ["a", "c", "b"]),
        ]
    )
    func isOrdered(engine: Engine, order: (query: String, names: [String])) async throws {
        try await withIdentityServer(engine) { server in
            let now = server.clock.now.seconds
            for (name, life) in [("b", 0), ("a", 9000), ("c", 8000)] {
                let token = try await server.createOrganizationToken(
                    name,
                    more: life == 0 ? "" : #","expires":\#(Int(now) + life)"#
                )
                server.clock.advance(by: .seconds(1))
                if name != "b" { continue }
                _ = try await server.send("GET", "/api/user", as: token.caller)
                await server.usage.flush()
            }

            #expect(try await pages(server, order.query, size: 1) == order.names)
            #expect(try await pages(server, order.query, size: 2) == order.names)
        }
    }

    @Test("finds what is in a name or a description", arguments: Engine.available)
    func isSearched(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            for name in ["deploy", "nightly"] { _ = try await server.createOrganizationToken(name) }

            #expect(try await pages(server, "search=night", size: 9) == ["nightly"])
            #expect(try await pages(server, "search=pipelines", size: 9).count == 2)
            #expect(try await pages(server, "search=%25", size: 9) == [])
        }
    }

    @Test(
        "refuses what it does not know",
        arguments: [
            "filter=some", "sortBy=color", "sortDirection=up", "maxResults=-1", "continuationToken=x",
            "continuationToken=WyJhIl0",
        ]
    )
    func refuses(query: String) async throws {
        try await withIdentityServer(.sqlite) { server in
            let reply = try await server.send("GET", "/api/orgs/acme/tokens?\(query)")

            #expect(reply.status == 400)
        }
    }

    @Test("does not take a page's token for another order")
    func refusesOtherOrder() async throws {
        try await withIdentityServer(.sqlite) { server in
            for name in ["a", "b"] { _ = try await server.createOrganizationToken(name) }
            let page = try await server.send("GET", "/api/orgs/acme/tokens?maxResults=1")
            let token = try #require(page.json["continuationToken"].string)

            let other = try await server.send("GET", "/api/orgs/acme/tokens?sortBy=name&continuationToken=\(token)")

            #expect(other.status == 400)
        }
    }

    @Test("does not show another organization's tokens", arguments: Engine.available)
    func isOwn(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            _ = try await server.createOrganizationToken("theirs", in: "other", as: .eve)

            #expect(try await pages(server, "filter=all", size: 9) == [])
        }
    }

    private func pages(_ server: TestServer, _ query: String, size: Int) async throws -> [String] {
        var names: [String] = []
        var token: String?
        for _ in 0..<20 {
            let next = token.map { "&continuationToken=\($0)" } ?? ""
            let page = try await server.send("GET", "/api/orgs/acme/tokens?maxResults=\(size)&\(query)\(next)")
            names += page.json["tokens"].array.compactMap { $0["name"].string }
            token = page.json["continuationToken"].string
            if token == nil { break }
        }
        return names
    }
}
