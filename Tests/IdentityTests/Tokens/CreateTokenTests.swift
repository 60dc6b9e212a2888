import Persistence
import APITestKit
import Identity
import Kernel
import TestKit
import Testing

@Suite("Making a personal access token")
struct CreateTokenTests {
    @Test("gives a token that works at once and whose text only its owner has", arguments: Engine.available)
    func works(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let reply = try await server.send("POST", "/api/user/tokens", json: #"{"description":"laptop"}"#)

            #expect(reply.status == 200)
            let text = try #require(reply.json["tokenValue"].string)
            #expect(text.wholeMatch(of: /pul-[0-9a-f]{40}/) != nil)
            let user = try await server.send("GET", "/api/user", as: .token(text))
            #expect(user.json["githubLogin"].string == "dev")
            #expect(try await server.auditActions() == ["personal-token-created"])
        }
    }

    @Test("from the command line gives somebody a new one, and nobody else", arguments: Engine.available)
    func recovers(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let service = PersonalTokenService(database: server.database, effects: server.clock.effects)

            let secret = try await service.recover(OrganizationName(unchecked: "dev"))
            let error = await #expect(throws: ServiceError.self) {
                _ = try await service.recover(OrganizationName(unchecked: "nobody"))
            }

            let user = try await server.send("GET", "/api/user", as: .token(secret.text.reveal()))
            #expect(user.json["githubLogin"].string == "dev")
            #expect(error?.code == .notFound)
            #expect(try await server.auditActions() == ["personal-token-created"])
        }
    }

    @Test("keeps the hash of the text and nothing else of it", arguments: Engine.available)
    func storesHash(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let token = try await server.createToken(#"{"description":"laptop"}"#)

            let secret = try #require(TokenSecret(token.text))
            let row = try await server.database.read { tx in
                try tx.first("SELECT hash, name, description FROM access_tokens WHERE id = \(token.id)") { row in
                    (try row.bytes(0), try row.text(1), try row.text(2))
                }
            }
            let (hash, name, description) = try #require(row)
            #expect(hash == secret.hash)
            #expect(hash.count == 32)
            #expect(!name.contains(token.text) && description == "laptop")
            let audit = try await server.database.read { tx in
                try tx.all("SELECT subject, details FROM audit_events") { "\(try $0.text(0)) \(try $0.text(1))" }
            }
            #expect(audit.allSatisfy { !$0.contains(token.text) })
        }
    }

    @Test("writes the reason into the audit log", arguments: Engine.available)
    func keepsReason(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            _ = try await server.send("POST", "/api/user/tokens?reason=for%20CI", json: "{}")

            let details = try await server.database.read { tx in
                try tx.all("SELECT details FROM audit_events") { try $0.text(0) }
            }
            #expect(details == ["reason=for CI"])
        }
    }

    @Test(
        "is refused with the name of the field, and makes nothing",
        arguments: [
            (#"{"description":5}"#, "description"),
            (#"{"description":["x"]}"#, "description"),
            (#"{"expires":"tomorrow"}"#, "expires"),
            (#"{"expires":1.5}"#, "expires"),
            (#"{"expires":-1}"#, "expires"),
            (#"{"expires":1893456000}"#, "expires"),
            (#"{"expires":9223372036854775807}"#, "expires"),
            (#"{"expires":92233720368547758070}"#, "expires"),
            (#"[]"#, "body"),
            (#"{"description":"#, "body"),
            ("", "body"),
            ("null", "body"),
        ]
    )
    func refuses(json: String, field: String) async throws {
        try await withIdentityServer(.sqlite) { server in
            let before = try await server.countTokens()

            let reply = try await server.send("POST", "/api/user/tokens", json: json)

            #expect(reply.status == 400)
            #expect(reply.message?.contains("\(field):") == true, "\(reply)")
            #expect(try await server.countTokens() == before)
        }
    }

    @Test("takes a description of 4096 bytes and refuses one more", arguments: [(4096, 200), (4097, 400)])
    func limitsDescription(length: Int, status: Int) async throws {
        try await withIdentityServer(.sqlite) { server in
            let text = String(repeating: "x", count: length)

            let reply = try await server.send("POST", "/api/user/tokens", json: #"{"description":"\#(text)"}"#)

            #expect(reply.status == status)
        }
    }

    @Test("is refused without a credential", arguments: Engine.available)
    func refusesStrangers(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let before = try await server.countTokens()

            let reply = try await server.send("POST", "/api/user/tokens", json: "{}", as: .stranger)

            #expect(reply.status == 401)
            #expect(reply.message == "Unauthorized: No credentials provided or are invalid.")
            #expect(try await server.countTokens() == before)
        }
    }
}
