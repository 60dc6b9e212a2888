import APITestKit
import HTTPServer
import Identity
import Kernel
import TestKit
import Testing

@Suite("The keys of an issuer")
struct IssuerKeysTests {
    @Test("are fetched once for many tokens, and again after ten minutes")
    func areKept() async throws {
        let issuer = TestIssuer()
        try await withIdentityServer(.sqlite, issuer: issuer) { server in
            try await server.registerIssuer()
            let registered = issuer.fetched.count

            for _ in 0..<3 { #expect(try await server.exchange().status == 200) }
            #expect(issuer.fetched.count == registered + 2)
            server.clock.advance(by: .seconds(200))
            #expect(try await server.exchange().status == 200)
            #expect(issuer.fetched.count == registered + 2)
        }
    }

    @Test("are fetched again for a name that is not known, but not more than once in a minute")
    func areRefreshed() async throws {
        let issuer = TestIssuer()
        try await withIdentityServer(.sqlite, issuer: issuer) { server in
            try await server.registerIssuer()
            _ = try await server.exchange()
            let known = issuer.fetched.count
            let names = ["unknown key", "another unknown key"]

            server.clock.advance(by: .seconds(61))
            for _ in 0..<10 {
                for name in names {
                    #expect(try await server.exchange(IdentityTokens.shared.good[name] ?? "").status == 400)
                }
            }
            #expect(issuer.fetched.count == known + 2)

            try issuer.setKeys("rotatedKeys")
            server.clock.advance(by: .seconds(61))
            #expect(try await server.exchange(IdentityTokens.shared.good["unknown key"] ?? "").status == 200)
            #expect(try await server.exchange().status == 400)
            #expect(issuer.fetched.count == known + 4)
        }
    }

    @Test("are fetched once when many ask at the same time")
    func areFetchedOnce() async throws {
        let issuer = TestIssuer()
        try await withIdentityServer(.sqlite, issuer: issuer) { server in
            try await server.registerIssuer()
            let registered = issuer.fetched.count
            issuer.change { $0.isHeld = true }

            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { try await server.exchange().status } }
                while issuer.fetched.count == registered { await Task.yield() }
                for _ in 0..<100 { await Task.yield() }
                issuer.change { $0.isHeld = false }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            #expect(statuses == Array(repeating: 200, count: 8))
            #expect(issuer.fetched.count == registered + 2)
        }
    }

    @Test("do for an hour when no new ones can be had; without any the client comes back later")
    func outliveOutages() async throws {
        let issuer = TestIssuer()
        try await withIdentityServer(.sqlite, issuer: issuer) { server in
            try await server.registerIssuer()
            issuer.change { $0.failure = .noDocument("away") }
            let first = try await server.exchange()
            issuer.change { $0.failure = nil }
            let soon = try await server.exchange()
            server.clock.advance(by: .seconds(61))
            let later = try await server.exchange()
            issuer.change { $0.failure = .noDocument("away") }

            #expect([first.status, soon.status, later.status] == [503, 503, 200])
            #expect(first.headers["Retry-After"] == "5")
            #expect(first.json["error"].string == "temporarily_unavailable" && !first.text.contains("away"))
        }
    }

    @Test("are fetched anew when the issuer is changed")
    func followChanges() async throws {
        let issuer = TestIssuer()
        try await withIdentityServer(.sqlite, issuer: issuer) { server in
            let id = try await server.registerIssuer()
            _ = try await server.exchange()
            let keys = try IdentityTokens.json("rotatedKeys")

            let reply = try await server.send(
                "PATCH",
                "/api/orgs/acme/oidc/issuers/\(id)",
                json: #"{"jwks":\#(keys)}"#
            )

            #expect(reply.status == 200)
            #expect(try await server.exchange().status == 400)
            #expect(try await server.exchange(IdentityTokens.shared.good["unknown key"] ?? "").status == 200)
        }
    }
}
