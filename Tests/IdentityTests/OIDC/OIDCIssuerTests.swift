import APITestKit
import Identity
import Kernel
import Persistence
import TestKit
import Testing

@Suite("An issuer that an organization trusts")
struct OIDCIssuerTests {
    private let path = "/api/orgs/acme/oidc/issuers"

    @Test("is registered with what it says of itself, and trusted with nothing", arguments: Engine.available)
    func isRegistered(engine: Engine) async throws {
        let issuer = TestIssuer()
        try await withIdentityServer(engine, issuer: issuer) { server in
            let id = try await server.registerIssuer(allowing: [])

            let reply = try await server.send("GET", "\(path)/\(id)")
            let list = try await server.send("GET", path)
            let policy = try await server.send("GET", "/api/orgs/acme/auth/policies/oidcissuers/\(id)")

            let url = IdentityTokens.shared.issuer
            #expect(reply.json["url"].string == url && reply.json["issuer"].string == url)
            #expect(reply.json["name"].string == "pipelines" && reply.json["maxExpiration"].int == 90_000)
            #expect(reply.json["thumbprints"][0].string == String(repeating: "ab", count: 32))
            #expect(!reply.json["jwks"].exists || reply.json["jwks"].isNull)
            #expect(list.json["oidcIssuers"].array.map { $0["id"].string } == [id])
            #expect(policy.json["policies"].array.isEmpty && policy.json["version"].int == 1)
            #expect(issuer.fetched == ["\(url)/.well-known/openid-configuration", "\(url)/keys"])
            #expect(try await server.exchange().status == 403)
            #expect(try await server.auditActions().first == "oidc-issuer-registered")
        }
    }

    @Test("is registered once", arguments: Engine.available)
    func isRegisteredOnce(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            try await server.registerIssuer()
            let body = #"{"name":"again","url":"\#(IdentityTokens.shared.issuer)"}"#

            #expect(try await server.send("POST", path, json: body).status == 409)
            #expect(try await server.send("POST", "/api/orgs/other/oidc/issuers", json: body, as: .eve).status == 200)
        }
    }

    @Test("can bring its keys along, and is not asked for them then", arguments: Engine.available)
    func bringsKeys(engine: Engine) async throws {
        let issuer = TestIssuer()
        try await withIdentityServer(engine, issuer: issuer) { server in
            let keys = try IdentityTokens.json("rotatedKeys")

            let id = try await server.registerIssuer(more: #","jwks":\#(keys)"#)

            #expect(try await server.exchange(IdentityTokens.shared.good["unknown key"] ?? "").status == 200)
            #expect(try await server.exchange().status == 400)
            #expect(issuer.fetched.isEmpty)
            let shown = try await server.send("GET", "\(path)/\(id)")
            #expect(shown.json["jwks"]["keys"][0]["kid"].string == "rotated")
            #expect(try await server.send("POST", "\(path)/\(id)/regenerate-thumbprints").status == 400)
        }
    }

    @Test("stops working at once when it is deleted, with every token given in exchange", arguments: Engine.available)
    func isDeleted(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let id = try await server.registerIssuer()
            let given = try await server.exchange()
            let caller = TestCaller.token(given.json["access_token"].string ?? "")
            #expect(try await server.send("GET", "/api/user", as: caller).status == 200)

            let reply = try await server.send("DELETE", "\(path)/\(id)")

            #expect(reply.status == 204)
            #expect(try await server.send("GET", "/api/user", as: caller).status == 401)
            #expect(try await server.exchange().status == 400)
            #expect(try await server.send("GET", "\(path)/\(id)").status == 404)
            #expect(try await server.send("DELETE", "\(path)/\(id)").status == 404)
            try await server.registerIssuer()
            #expect(try await server.exchange().status == 200)
        }
    }

    @Test(
        "changes its name, its certificates and how long its tokens last, and nothing else",
        arguments: Engine.available
    )
    func isChanged(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let id = try await server.registerIssuer()
            let print = String(repeating: "CD", count: 32)

            let reply = try await server.send(
                "PATCH",
                "\(path)/\(id)",
                json: #"{"name":"renamed","maxExpiration":600,"thumbprints":["\#(print)"]}"#
            )
            let url = try await server.send("PATCH", "\(path)/\(id)", json: #"{"url":"https://evil.example"}"#)

            #expect(reply.json["name"].string == "renamed" && reply.json["maxExpiration"].int == 600)
            #expect(reply.json["thumbprints"].array.map(\.string) == [print.lowercased()])
            #expect(reply.json["issuer"].string == IdentityTokens.shared.issuer)
            #expect(url.status == 400)
            #expect(try await server.exchange().json["expires_in"].int == 600)
        }
    }

    @Test("shows its new certificate when it is asked for", arguments: Engine.available)
    func regenerates(engine: Engine) async throws {
        let issuer = TestIssuer()
        try await withIdentityServer(engine, issuer: issuer) { server in
            let id = try await server.registerIssuer()
            let new = String(repeating: "ef", count: 32)
            issuer.change { $0.thumbprint = new }

            let reply = try await server.send("POST", "\(path)/\(id)/regenerate-thumbprints")
            issuer.change { $0.failure = .untrustedCertificate }
            let failed = try await server.send("POST", "\(path)/\(id)/regenerate-thumbprints")

            #expect(reply.json["thumbprints"].array.map(\.string) == [new])
            #expect(failed.status == 400)
        }
    }

    @Test(
        "must be where documents can be fetched that speak for it",
        arguments: [
            (IssuerUnreachable.addressRefused, "CAIRN_OUTBOUND_ALLOW"), (.untrustedCertificate, "thumbprints"),
            (.noDocument("SECRET of an inner service"), "discovery document"),
        ]
    )
    func mustBeReachable(failure: IssuerUnreachable, hint: String) async throws {
        let issuer = TestIssuer()
        issuer.change { $0.failure = failure }
        try await withIdentityServer(.sqlite, issuer: issuer) { server in
            let body = #"{"name":"x","url":"\#(IdentityTokens.shared.issuer)"}"#

            let reply = try await server.send("POST", path, json: body)

            #expect(reply.status == 400)
            #expect(reply.message?.contains(hint) == true)
            #expect(!reply.text.contains("SECRET"))
        }
    }

    @Test(
        "must describe itself as what it was registered as",
        arguments: [
            #"{"issuer":"https://other.example","jwks_uri":"https://issuer.example/keys"}"#,
            #"{"issuer":"https://issuer.example.evil.example","jwks_uri":"https://issuer.example/keys"}"#,
            #"{"issuer":"https://issuer.example"}"#, #"{"jwks_uri":"https://issuer.example/keys"}"#, "[]", "", "<html>",
            #"{"issuer":"https://issuer.example","jwks_uri":"file:///etc/passwd"}"#,
            #"{"issuer":"https://issuer.example","jwks_uri":"http://169.254.169.254/keys"}"#,
            #"{"issuer":"https://issuer.example","jwks_uri":"https://issuer.example/absent"}"#,
            #"{"issuer":5,"jwks_uri":"https://issuer.example/keys"}"#,
        ]
    )
    func mustAgree(document: String) async throws {
        let issuer = TestIssuer()
        let url = IdentityTokens.shared.issuer
        issuer.change { $0.documents["\(url)/.well-known/openid-configuration"] = document }
        try await withIdentityServer(.sqlite, issuer: issuer) { server in
            let reply = try await server.send("POST", path, json: #"{"name":"x","url":"\#(url)"}"#)

            #expect(reply.status == 400)
        }
    }

    @Test(
        "is refused by the name of the field",
        arguments: [
            ("{}", "url"), (#"{"url":"https://issuer.example"}"#, "name"), (#"{"name":"x","url":""}"#, "url"),
            (#"{"name":"x","url":"http://issuer.example"}"#, "url"), (#"{"name":"x","url":"ftp://a"}"#, "url"),
            (#"{"name":"x","url":"https://"}"#, "url"), (#"{"name":"x","url":"https:///a"}"#, "url"),
            (#"{"name":"x","url":"https://u:p@a"}"#, "url"), (#"{"name":"x","url":"https://a?b"}"#, "url"),
            (#"{"name":"x","url":"https://a#b"}"#, "url"), (#"{"name":"x","url":"https://a\\b"}"#, "url"),
            (#"{"name":"x","url":"https://a b"}"#, "url"), (#"{"name":"x","url":"https://ä"}"#, "url"),
            (#"{"name":"x","url":"http://localhost.evil.example"}"#, "url"),
            (#"{"name":"","url":"https://issuer.example"}"#, "name"),
            (#"{"name":"a\u0000","url":"https://issuer.example"}"#, "name"),
            (#"{"name":"x","url":"https://issuer.example","maxExpiration":-1}"#, "maxExpiration"),
            (#"{"name":"x","url":"https://issuer.example","maxExpiration":59}"#, "maxExpiration"),
            (#"{"name":"x","url":"https://issuer.example","maxExpiration":99999999}"#, "maxExpiration"),
            (#"{"name":"x","url":"https://issuer.example","thumbprints":["ab"]}"#, "thumbprints"),
            (#"{"name":"x","url":"https://issuer.example","thumbprints":["zz"]}"#, "thumbprints"),
            (#"{"name":"x","url":"https://issuer.example","jwks":{}}"#, "jwks"),
            (#"{"name":"x","url":"https://issuer.example","jwks":[]}"#, "jwks"),
            (#"{"name":"x","url":"https://issuer.example","jwks":{"keys":[]}}"#, "jwks"),
            (#"{"name":"x","url":"https://issuer.example","jwks":{"keys":[{"kty":"oct","k":"AA"}]}}"#, "jwks"),
        ]
    )
    func refuses(json: String, field: String) async throws {
        try await withIdentityServer(.sqlite) { server in
            let reply = try await server.send("POST", path, json: json)

            #expect(reply.status == 400)
            #expect(reply.message?.contains("\(field): ") == true, "\(reply)")
        }
    }

    @Test("must not bring private or weak keys along", arguments: [("privateKey", "private"), ("weakKeys", "no key")])
    func refusesKeys(member: String, problem: String) async throws {
        try await withIdentityServer(.sqlite) { server in
            let found = try IdentityTokens.json(member)
            let keys = member == "privateKey" ? #"{"keys":[\#(found)]}"# : found

            let reply = try await server.send(
                "POST",
                path,
                json: #"{"name":"x","url":"https://issuer.example","jwks":\#(keys)}"#
            )

            #expect(reply.status == 400)
            #expect(reply.message?.contains(problem) == true, "\(reply)")
        }
    }

    @Test("is managed by people alone: a machine could open a door for itself", arguments: Engine.available)
    func needsPerson(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let id = try await server.registerIssuer()
            let policy = try await server.send("GET", "/api/orgs/acme/auth/policies/oidcissuers/\(id)")
            let policyID = try #require(policy.json["id"].string)
            let machine = try await server.addToken(isAdmin: true)
            let exchanged = try await server.addToken(of: "dev")
            let requests = [
                ("POST", path, #"{"name":"x","url":"https://a.example"}"#), ("PATCH", "\(path)/\(id)", "{}"),
                ("DELETE", "\(path)/\(id)", ""), ("POST", "\(path)/\(id)/regenerate-thumbprints", ""),
                (
                    "PATCH", "/api/orgs/acme/auth/policies/\(policyID)",
                    #"{"policies":[\#(TestPolicy.organization)]}"#
                ),
            ]

            for caller in [machine, exchanged] {
                for (method, target, json) in requests {
                    let reply = try await server.send(method, target, json: json, as: caller)
                    #expect(reply.status == 403, "\(method) \(target): \(reply)")
                }
                #expect(try await server.send("GET", "\(path)/\(id)", as: caller).status == 200)
            }
        }
    }

    @Test("is not there for other organizations", arguments: Engine.available)
    func isHidden(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let id = try await server.registerIssuer()
            let other = "/api/orgs/other/oidc/issuers/\(id)"

            #expect(try await server.send("GET", other, as: .eve).status == 404)
            #expect(try await server.send("PATCH", other, json: "{}", as: .eve).status == 404)
            #expect(try await server.send("DELETE", other, as: .eve).status == 404)
            #expect(
                try await server.send("GET", "/api/orgs/other/auth/policies/oidcissuers/\(id)", as: .eve).status == 404
            )
            #expect(try await server.send("GET", "\(path)/not-an-id").status == 404)
        }
    }
}
