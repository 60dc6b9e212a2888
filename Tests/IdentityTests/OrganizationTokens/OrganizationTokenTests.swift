import APITestKit
import Identity
import Kernel
import Persistence
import TestKit
import Testing

@Suite("A token of an organization")
struct OrganizationTokenTests {
    @Test("is made by an administrator, audited with its reason, and kept as a hash", arguments: Engine.available)
    func isMade(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let body = #"{"name":"ci","description":"for pipelines","admin":true}"#
            let reply = try await server.send("POST", "/api/orgs/acme/tokens?reason=nightly%20runs", json: body)

            #expect(reply.status == 200)
            let text = try #require(reply.json["tokenValue"].string)
            #expect(text.wholeMatch(of: /pul-[0-9a-f]{40}/) != nil)
            let secret = try #require(TokenSecret(text))
            let id = try #require(reply.json["id"].string)
            let hash = try await server.database.read { tx in
                try tx.first("SELECT hash FROM access_tokens WHERE id = \(id)") { try $0.bytes(0) }
            }
            #expect(hash == secret.hash)
            let audit = try await server.database.read { tx in
                try tx.all("SELECT subject, details, actor_login FROM audit_events") { row in
                    [try row.text(0), try row.text(1), try row.text(2)]
                }
            }
            #expect(audit == [[id, "name=ci\nadmin=true\nreason=nightly runs", "dev"]])
        }
    }

    @Test("is a member's business neither to see, nor to make, nor to delete", arguments: Engine.available)
    func needsAdministrator(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let token = try await server.createOrganizationToken()
            let path = "/api/orgs/acme/tokens"
            let callers: [(TestCaller, Int)] = [(.mia, 403), (.eve, 404), (.root, 404), (.stranger, 401)]

            for (caller, status) in callers {
                let made = try await server.send("POST", path, json: #"{"name":"x"}"#, as: caller)
                let seen = try await server.send("GET", path, as: caller)
                let gone = try await server.send("DELETE", "\(path)/\(token.id)", as: caller)
                #expect([made.status, seen.status, gone.status] == [status, status, status])
            }
            #expect(try await server.send("GET", "/api/user", as: token.caller).status == 200)
        }
    }

    @Test("makes and deletes no other one, administrator or not", arguments: Engine.available)
    func makesNoOther(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let victim = try await server.createOrganizationToken("victim")
            for isAdmin in [false, true] {
                let token = try await server.createOrganizationToken("ci \(isAdmin)", isAdmin: isAdmin)

                let made = try await server.send(
                    "POST",
                    "/api/orgs/acme/tokens",
                    json: #"{"name":"x"}"#,
                    as: token.caller
                )
                let gone = try await server.send("DELETE", "/api/orgs/acme/tokens/\(victim.id)", as: token.caller)

                #expect(made.status == 403 && gone.status == 403)
            }
            #expect(try await server.send("GET", "/api/user", as: victim.caller).status == 200)
        }
    }

    @Test("stops working at once when it is deleted", arguments: Engine.available)
    func isDeleted(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let token = try await server.createOrganizationToken()

            let reply = try await server.send("DELETE", "/api/orgs/acme/tokens/\(token.id)")

            #expect(reply.status == 204)
            #expect(try await server.send("GET", "/api/user", as: token.caller).status == 401)
            #expect(try await server.auditActions() == ["organization-token-created", "organization-token-deleted"])
        }
    }

    @Test("is not found under ids that are none of its organization", arguments: Engine.available)
    func isNotFound(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let foreign = try await server.createOrganizationToken(in: "other", as: .eve)
            let personal = try await server.createToken()

            for id in [foreign.id, personal.id, "x", "0194b8a6-0000-7000-8000-000000000000"] {
                #expect(try await server.send("DELETE", "/api/orgs/acme/tokens/\(id)").status == 404)
            }
            #expect(try await server.send("GET", "/api/user", as: foreign.caller).status == 200)
            #expect(try await server.send("GET", "/api/user", as: .token(personal.text)).status == 200)
            #expect(
                try await server.send("DELETE", "/api/user/tokens/\(foreign.id)", as: .eve).status == 404
            )
        }
    }

    @Test("has a name that no other one of the organization has or had", arguments: Engine.available)
    func hasUniqueName(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let first = try await server.createOrganizationToken("ci")
            let body = #"{"name":"ci"}"#

            let second = try await server.send("POST", "/api/orgs/acme/tokens", json: body)
            _ = try await server.send("DELETE", "/api/orgs/acme/tokens/\(first.id)")
            let third = try await server.send("POST", "/api/orgs/acme/tokens", json: body)
            let spelled = try await server.send("POST", "/api/orgs/acme/tokens", json: #"{"name":"CI"}"#)
            let elsewhere = try await server.send("POST", "/api/orgs/other/tokens", json: body, as: .eve)

            #expect([second.status, third.status, spelled.status, elsewhere.status] == [409, 409, 200, 200])
        }
    }

    @Test("gets its name once when many ask for it at the same time", arguments: Engine.available)
    func isMadeOnce(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await server.send("POST", "/api/orgs/acme/tokens", json: #"{"name":"ci"}"#).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            #expect(statuses.sorted() == [200] + Array(repeating: 409, count: 7))
        }
    }

    @Test(
        "is refused with the name of the field",
        arguments: [
            ("{}", "name"), (#"{"name":""}"#, "name"), (#"{"name":" ci"}"#, "name"), (#"{"name":"ci "}"#, "name"),
            (#"{"name":"a\u0000b"}"#, "name"), (#"{"name":"a\nb"}"#, "name"), (#"{"name":"a\u202eb"}"#, "name"),
            (#"{"name":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#, "name"), (#"{"name":5}"#, "name"),
            (#"{"name":"ci","roleID":"r"}"#, "roleID"), (#"{"name":"ci","admin":"yes"}"#, "admin"),
            (#"{"name":"ci","expires":1}"#, "expires"), (#"{"name":"ci","expires":-5}"#, "expires"),
        ]
    )
    func refuses(json: String, field: String) async throws {
        try await withIdentityServer(.sqlite) { server in
            let reply = try await server.send("POST", "/api/orgs/acme/tokens", json: json)

            #expect(reply.status == 400)
            #expect(reply.message?.contains("\(field): ") == true)
            #expect(try await server.send("GET", "/api/orgs/acme/tokens?filter=all").json["tokens"].array.isEmpty)
        }
    }

    @Test("may have any visible name of 40 characters", arguments: ["Ünïcode 🦊 token", "a", "x/y", "'; --", "日本"])
    func takesNames(name: String) async throws {
        for engine in Engine.available {
            try await withIdentityServer(engine) { server in
                let token = try await server.createOrganizationToken(name)

                let user = try await server.send("GET", "/api/user", as: token.caller)

                #expect(user.json["tokenInfo"]["name"].string == name)
            }
        }
    }

    @Test("ends exactly when it expires, and is listed as expired then", arguments: Engine.available)
    func expires(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let end = server.clock.now.seconds + 60
            let token = try await server.createOrganizationToken(more: #","expires":\#(end)"#)

            server.clock.advance(by: .seconds(60) - .microseconds(1))
            #expect(try await server.send("GET", "/api/user", as: token.caller).status == 200)
            #expect(try await names(server, "filter=active") == ["ci"])
            server.clock.advance(by: .microseconds(1))

            #expect(try await server.send("GET", "/api/user", as: token.caller).status == 401)
            #expect(try await names(server, "") == [])
            #expect(try await names(server, "filter=expired") == ["ci"])
            #expect(try await names(server, "filter=all") == ["ci"])
        }
    }

    @Test("is listed with everything but its text", arguments: Engine.available)
    func isListed(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let token = try await server.createOrganizationToken("ci", isAdmin: true)
            server.clock.advance(by: .seconds(90))
            _ = try await server.send("GET", "/api/user", as: token.caller)
            let used = server.clock.now.seconds
            await server.usage.flush()

            let list = try await server.send("GET", "/api/orgs/acme/tokens")

            let item = list.json["tokens"][0]
            #expect(item["id"].string == token.id && item["name"].string == "ci")
            #expect(item["description"].string == "for pipelines" && item["admin"].bool == true)
            #expect(item["createdBy"].string == "dev" && item["type"].string == "organization")
            #expect(item["lastUsed"].int == Int(used) && item["expires"].int == 0)
            #expect(!list.text.contains("pul-"))
            #expect(try await server.send("GET", "/api/user/tokens").json["tokens"].array.count == 1)
        }
    }

    private func names(_ server: TestServer, _ query: String) async throws -> [String] {
        let list = try await server.send("GET", "/api/orgs/acme/tokens?\(query)")
        return list.json["tokens"].array.compactMap { $0["name"].string }
    }
}
