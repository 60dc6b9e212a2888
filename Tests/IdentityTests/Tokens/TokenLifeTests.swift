import Identity
import APITestKit
import Kernel
import TestKit
import Testing

@Suite("The life of a personal access token")
struct TokenLifeTests {
    @Test("ends exactly when it expires", arguments: Engine.available)
    func expires(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let end = server.clock.now.seconds + 60
            let token = try await server.createToken(#"{"expires":\#(end)}"#)
            let caller = TestCaller.token(token.text)

            server.clock.advance(by: .seconds(60) - .microseconds(1))
            let before = try await server.send("GET", "/api/user", as: caller)
            server.clock.advance(by: .microseconds(1))
            let after = try await server.send("GET", "/api/user", as: caller)

            #expect(before.status == 200)
            #expect(after.status == 401)
            #expect(after.message == "Unauthorized: No credentials provided or are invalid.")
        }
    }

    @Test("has no end without one, or with 0", arguments: ["{}", #"{"expires":0}"#, #"{"expires":null}"#])
    func lives(json: String) async throws {
        try await withIdentityServer(.sqlite) { server in
            let token = try await server.createToken(json)

            server.clock.advance(by: .seconds(20 * 366 * 86_400))

            #expect(try await server.send("GET", "/api/user", as: .token(token.text)).status == 200)
            let list = try await server.send("GET", "/api/user/tokens")
            #expect(list.json["tokens"].array.allSatisfy { $0["expires"].int == 0 })
        }
    }

    @Test("shows when it was used last, once that is written down", arguments: Engine.available)
    func notesUse(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let token = try await server.createToken()
            #expect(try await lastUse(of: token.id, server) == 0)

            server.clock.advance(by: .seconds(90))
            _ = try await server.send("GET", "/api/user", as: .token(token.text))
            let used = server.clock.now.seconds
            await server.usage.flush()

            #expect(try await lastUse(of: token.id, server) == Int(used))
        }
    }

    @Test("never moves the time of its last use back", arguments: Engine.available)
    func keepsLaterUse(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let token = try await server.createToken()
            let id = try #require(AccessTokenID(token.id))
            let late = server.clock.now.advanced(by: .seconds(100))

            server.usage.note(id, at: late)
            await server.usage.flush()
            server.usage.note(id, at: server.clock.now)
            await server.usage.flush()

            #expect(try await lastUse(of: token.id, server) == Int(late.seconds))
        }
    }

    @Test("ends when it is deleted, also by itself", arguments: Engine.available)
    func deletes(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let token = try await server.createToken()
            let caller = TestCaller.token(token.text)

            let reply = try await server.send("DELETE", "/api/user/tokens/\(token.id)", as: caller)

            #expect(reply.status == 204)
            #expect(reply.body.isEmpty)
            #expect(try await server.send("GET", "/api/user", as: caller).status == 401)
            #expect(try await server.auditActions() == ["personal-token-created", "personal-token-deleted"])
        }
    }

    @Test("cannot be ended twice, by others, or under a name that is none", arguments: Engine.available)
    func refusesDeletion(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let token = try await server.createToken()
            let gone = try await server.createToken()
            _ = try await server.send("DELETE", "/api/user/tokens/\(gone.id)")

            let attempts: [(String, TestCaller, Int)] = [
                (gone.id, .dev, 404), (token.id, .mia, 404), (token.id, .root, 404), ("not-an-id", .dev, 404),
                ("0194b8a6-0000-7000-8000-000000000000", .dev, 404), (token.id, .stranger, 401),
            ]
            for (id, caller, status) in attempts {
                #expect(try await server.send("DELETE", "/api/user/tokens/\(id)", as: caller).status == status)
            }

            #expect(try await server.send("GET", "/api/user", as: .token(token.text)).status == 200)
        }
    }

    private func lastUse(of id: String, _ server: TestServer) async throws -> Int? {
        let list = try await server.send("GET", "/api/user/tokens")
        return list.json["tokens"].array.first { $0["id"].string == id }?["lastUsed"].int
    }
}
