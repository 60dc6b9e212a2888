import APITestKit
import Foundation
import Identity
import Kernel
import Persistence
import TestKit
import Testing

@Suite("The exchange of an identity for an access token")
struct TokenExchangeTests {
    @Test(
        "16: answers exactly 200 with a token of the organization that works until it ends",
        arguments: Engine.available
    )
    func exchanges(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            try await server.registerIssuer()

            let reply = try await server.exchange()

            #expect(reply.status == 200)
            #expect(reply.json["expires_in"].int == 7200)
            #expect(reply.json["token_type"].string == "token" && reply.json["scope"].string == "")
            #expect(
                reply.json["issued_token_type"].string == "urn:pulumi:token-type:access_token:organization"
            )
            let caller = TestCaller.token(try #require(reply.json["access_token"].string))
            let user = try await server.send("GET", "/api/user", as: caller)
            #expect(user.status == 200 && user.json["githubLogin"].string == "acme")
            #expect(user.json["tokenInfo"]["organization"].string == "acme")
            #expect(user.json["tokenInfo"]["name"].string == "pipelines")
            server.clock.advance(by: .seconds(7200) - .microseconds(1))
            #expect(try await server.send("GET", "/api/user", as: caller).status == 200)
            server.clock.advance(by: .microseconds(1))
            #expect(try await server.send("GET", "/api/user", as: caller).status == 401)
        }
    }

    @Test("16: takes JSON as well as a form", arguments: ["application/json", "application/json; charset=utf-8"])
    func takesJSON(type: String) async throws {
        try await withIdentityServer(.sqlite) { server in
            try await server.registerIssuer()
            let fields: [String: Any] = [
                "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                "subject_token": try #require(IdentityTokens.shared.good["main"]),
                "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
                "audience": IdentityTokens.shared.audience,
                "requested_token_type": "urn:pulumi:token-type:access_token:organization",
                "expiration": 60,
            ]
            let body = String(decoding: try JSONSerialization.data(withJSONObject: fields), as: UTF8.self)

            let reply = try await server.send(exchangeBody: body, type: type)

            #expect(reply.status == 200, "\(reply)")
            #expect(reply.json["expires_in"].int == 60)
        }
    }

    @Test("keeps a hash only, and records for which issuer and subject", arguments: Engine.available)
    func isRecorded(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let issuer = try await server.registerIssuer()

            let reply = try await server.exchange()

            let secret = try #require(TokenSecret(reply.json["access_token"].string ?? ""))
            let rows = try await server.database.read { tx in
                try tx.all("SELECT id FROM access_tokens WHERE hash = \(secret.hash)") { try $0.text(0) }
            }
            let audit = try await server.database.read { tx in
                try tx.all(
                    """
                    SELECT subject, details, actor_kind, actor_login, source_address FROM audit_events
                    WHERE action_slug = 'organization-token-created-for-oidc-issuer'
                    """
                ) { row in try (0..<5).map { try row.text($0) } }
            }
            #expect(audit.count == 1 && rows.count == 1)
            #expect(audit[0][0] == rows[0])
            #expect(audit[0][1].contains("issuer=\(issuer)") && audit[0][1].contains("subject=repo:acme/site"))
            #expect(Array(audit[0][2...]) == ["anonymous", "pipelines", "192.0.2.7"])
            let list = try await server.send("GET", "/api/orgs/acme/oidc/issuers")
            #expect(list.json["oidcIssuers"][0]["lastUsed"].string == server.clock.now.rfc3339)
        }
    }

    @Test(
        "lasts as long as is asked for, and no longer than the issuer's tokens may",
        arguments: [
            ("", 3600, 3600), ("0", 3600, 3600), ("60", 3600, 60), ("99999", 3600, 3600), ("7200", 0, 7200),
            ("9223372036854775807", 0, 90_000),
        ]
    )
    func lasts(asked: String, longest: Int, given: Int) async throws {
        try await withIdentityServer(.sqlite) { server in
            try await server.registerIssuer(more: #","maxExpiration":\#(longest)"#)

            let reply = try await server.exchange(changing: ["expiration": asked])

            #expect(reply.json["expires_in"].int == given)
        }
    }

    @Test("gives an administrator's token where that is asked for and allowed", arguments: [true, false])
    func givesAdmin(isAllowed: Bool) async throws {
        try await withIdentityServer(.sqlite) { server in
            try await server.registerIssuer(allowing: [isAllowed ? TestPolicy.admin : TestPolicy.organization])

            let admin = try await server.exchange(changing: ["scope": "admin"])
            let plain = try await server.exchange()

            #expect(admin.status == (isAllowed ? 200 : 403))
            let caller = TestCaller.token(plain.json["access_token"].string ?? "")
            let user = try await server.send("GET", "/api/user", as: caller)
            #expect(user.json["organizations"][0]["role"].string == "member")
            guard isAllowed else { return }
            let other = TestCaller.token(admin.json["access_token"].string ?? "")
            #expect(try await server.send("GET", "/api/orgs/acme/tokens", as: other).status == 200)
            #expect(try await server.send("GET", "/api/orgs/acme/tokens", as: caller).status == 403)
        }
    }

    @Test("gives a member's token that is good in the organization only", arguments: Engine.available)
    func givesPersonal(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            try await server.registerIssuer(allowing: ["mia", "eve", "dev"].map(TestPolicy.personal))
            func ask(_ login: String) async throws -> TestReply {
                try await server.exchange(changing: [
                    "requested_token_type": "urn:pulumi:token-type:access_token:personal", "scope": "user:\(login)",
                ])
            }

            let reply = try await ask("mia")
            let stranger = try await ask("eve")
            let unnamed = try await ask("root")

            let caller = TestCaller.token(reply.json["access_token"].string ?? "")
            let user = try await server.send("GET", "/api/user", as: caller)
            #expect(user.json["githubLogin"].string == "mia" && !user.json["tokenInfo"].exists)
            #expect(user.json["organizations"].array.map { $0["githubLogin"].string } == ["acme"])
            #expect(reply.json["scope"].string == "user:mia")
            #expect(stranger.status == 403 && unnamed.status == 403)
            #expect(stranger.json["error_description"].string?.contains("no member") == true)
            #expect(try await server.send("POST", "/api/user/tokens", json: "{}", as: caller).status == 403)
        }
    }

    @Test("records who was genuine and not allowed, and nobody else", arguments: Engine.available)
    func recordsRefusals(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            try await server.registerIssuer()

            let fork = try await server.exchange(IdentityTokens.shared.good["fork"] ?? "")
            let forged = try await server.exchange("a.b.c")

            #expect(fork.status == 403 && fork.json["error"].string == "access_denied")
            #expect(fork.message == "Forbidden: no policy of 'acme' gives this token to who presents it")
            #expect(forged.status == 400)
            let failures = try await server.auditActions().filter { $0 == "oidc-issuer-validation-failed" }
            #expect(failures.count == 1)
        }
    }

    @Test("does not tell an unknown organization from one without the issuer")
    func hidesOrganizations() async throws {
        try await withIdentityServer(.sqlite) { server in
            try await server.registerIssuer()
            let texts = try await ["other", "nowhere"].asyncMap { name in
                try await server.exchange(changing: ["audience": "urn:pulumi:org:\(name)"]).text
                    .replacing(name, with: "NAME")
            }

            #expect(texts[0] == texts[1])
            #expect(texts[0].contains("no issuer of its claim 'iss' is registered for 'NAME'"))
        }
    }

    @Test(
        "refuses by the words of RFC 6749",
        arguments: [
            (["grant_type": nil], "invalid_request"), (["grant_type": "password"], "unsupported_grant_type"),
            (["grant_type": "refresh_token"], "unsupported_grant_type"), (["subject_token": nil], "invalid_request"),
            (["subject_token_type": "urn:ietf:params:oauth:token-type:access_token"], "invalid_request"),
            (["audience": nil], "invalid_target"), (["audience": "acme"], "invalid_target"),
            (["audience": "urn:pulumi:org:"], "invalid_target"), (["audience": "urn:pulumi:org:a/b"], "invalid_target"),
            (["requested_token_type": "urn:x"], "invalid_request"),
            (
                ["requested_token_type": "urn:pulumi:token-type:access_token:team", "scope": "team:x"],
                "invalid_request"
            ),
            (["requested_token_type": "urn:pulumi:token-type:access_token:runner"], "invalid_request"),
            (["requested_token_type": "urn:pulumi:token-type:access_token:personal"], "invalid_scope"),
            (["scope": "user:mia"], "invalid_scope"), (["scope": "everything"], "invalid_scope"),
            (["expiration": "soon"], "invalid_request"), (["expiration": "-1"], "invalid_request"),
            (["expiration": "99999999999999999999"], "invalid_request"),
        ] as [([String: String?], String)]
    )
    func refuses(fields: [String: String?], error: String) async throws {
        try await withIdentityServer(.sqlite) { server in
            try await server.registerIssuer()

            let reply = try await server.exchange(changing: fields)

            #expect(reply.status == 400)
            #expect(reply.json["error"].string == error, "\(reply)")
            #expect(reply.json["error_description"].string == reply.message)
        }
    }

    @Test(
        "refuses a body that can be read in two ways, or in none",
        arguments: [
            ("grant_type=a&grant_type=b", "application/x-www-form-urlencoded"),
            ("%zz=1", "application/x-www-form-urlencoded"),
            ("", "application/x-www-form-urlencoded"), ("{}", "application/json"), ("[]", "application/json"),
            (#"{"grant_type":"a","grant_type":"b"}"#, "application/json"),
            (#"{"grant_type":["a"]}"#, "application/json"),
            ("grant_type=a", "text/plain"), ("grant_type=a", "multipart/form-data"),
        ]
    )
    func refusesBodies(body: String, type: String) async throws {
        try await withIdentityServer(.sqlite) { server in
            let reply = try await server.send(exchangeBody: body, type: type)

            #expect(reply.status == 400)
            #expect(["invalid_request", "unsupported_grant_type"].contains(reply.json["error"].string), "\(reply)")
        }
    }

    @Test("clears away what expired long ago", arguments: Engine.available)
    func clears(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let issuer = try await server.registerIssuer()
            for _ in 0..<3 { _ = try await server.exchange(changing: ["expiration": "60"]) }
            try await server.database.write { tx in
                _ = try tx.execute("UPDATE access_tokens SET expires_at = 1 WHERE issuer_id = \(issuer)")
            }

            _ = try await server.exchange()

            let count = try await server.database.read { tx in
                try tx.count("SELECT COUNT(*) FROM access_tokens WHERE issuer_id = \(issuer)")
            }
            #expect(count == 1)
        }
    }
}

extension Sequence {
    fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
