import APITestKit
import Identity
import Telemetry
import TestKit
import Testing

/// Tokens that another implementation signed; see `Tests/Counterparts/identity_tokens.py`.
@Suite("Identity tokens, honest and forged")
struct ForgedTokenTests {
    @Test("16: are taken when an issuer's key signed them for the organization")
    func takesHonest() async throws {
        try await withIdentityServer(.sqlite) { server in
            try await server.registerIssuer()

            for honest in IdentityTokens.shared.cases where honest.problem == nil {
                let reply = try await server.exchange(honest.token)
                #expect(reply.status == 200, "\(honest.name): \(reply)")
            }
        }
    }

    @Test("16: are refused with the reason and without anything of the token, and make nothing")
    func refusesForged() async throws {
        try await withIdentityServer(.sqlite) { server in
            try await server.registerIssuer()
            let before = try await server.countTokens()
            var count = 0

            for forged in IdentityTokens.shared.cases {
                guard let problem = forged.problem else { continue }
                let reply = try await server.exchange(forged.token)
                #expect(reply.status == 400, "\(forged.name): \(reply)")
                let text = reply.json["error_description"].string ?? ""
                #expect(text.contains(problem), "\(forged.name): \(text)")
                #expect(["invalid_grant", "invalid_request"].contains(reply.json["error"].string), "\(forged.name)")
                let parts = forged.token.split(separator: ".").filter { $0.count > 8 }
                #expect(!parts.contains { reply.text.contains($0) }, "\(forged.name)")
                count += 1
            }

            #expect(count >= 150)
            #expect(try await server.countTokens() == before)
            let lines = "\(server.log.entries)"
            #expect(!lines.contains("eyJ") && !lines.contains("evil"))
        }
    }

    @Test("16: are refused with any letter of them changed", arguments: ["RS256", "ES256", "EdDSA", "PS256"])
    func refusesChanged(name: String) async throws {
        try await withIdentityServer(.sqlite) { server in
            try await server.registerIssuer()
            let honest = try #require(IdentityTokens.shared.cases.first { $0.name == name }).token
            let letters = Array(honest.utf8)

            for position in stride(from: name.utf8.count % 7, to: letters.count, by: 7) where letters[position] != 46 {
                var changed = letters
                changed[position] = changed[position] == 65 ? 66 : 65
                let reply = try await server.exchange(String(decoding: changed, as: UTF8.self))
                #expect(reply.status == 400, "\(position): \(reply)")
            }
            #expect(try await server.exchange(honest).status == 200)
        }
    }
}
