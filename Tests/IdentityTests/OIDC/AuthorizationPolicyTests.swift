import APITestKit
import Identity
import Kernel
import TestKit
import Testing

@Suite("The policy of an issuer")
struct AuthorizationPolicyTests {
    @Test(
        "lets in whose claims match every rule of an entry that allows, unless one that denies matches",
        arguments: [
            ([TestPolicy.organization], true),
            ([TestPolicy.entry(rules: #"{"sub":"repo:acme/other:*"}"#)], false),
            ([TestPolicy.entry(rules: #"{"sub":"repo:acme/site:*","run":"17"}"#)], true),
            ([TestPolicy.entry(rules: #"{"sub":"repo:acme/site:*","run":"18"}"#)], false),
            ([TestPolicy.entry(rules: #"{"sub":"repo:acme/site:*","absent":"*"}"#)], false),
            ([TestPolicy.entry(rules: #"{"protected":"true"}"#)], true),
            ([TestPolicy.entry(rules: #"{"groups":"deployers"}"#)], true),
            ([TestPolicy.entry(rules: #"{"groups":"deploy"}"#)], false),
            ([TestPolicy.entry(rules: #"{"\"kubernetes.io\".pod.name":"runner-*"}"#)], true),
            ([TestPolicy.entry(rules: #"{"kubernetes.io.pod.name":"runner-*"}"#)], false),
            ([TestPolicy.entry(rules: #"{"sub":"acme/site"}"#)], false),
            ([TestPolicy.entry(rules: #"{"sub":"*acme/site*"}"#)], true),
            ([TestPolicy.organization, TestPolicy.entry("deny", rules: #"{"repository":"acme/*"}"#)], false),
            ([TestPolicy.entry("deny", rules: #"{"repository":"acme/*"}"#), TestPolicy.organization], false),
            ([TestPolicy.organization, TestPolicy.entry("deny", rules: #"{"repository":"evil/*"}"#)], true),
            ([TestPolicy.organization, TestPolicy.entry("deny", rules: "{}")], false),
            ([TestPolicy.entry("deny", rules: "{}")], false),
            ([TestPolicy.personal("dev")], false),
            (
                [
                    TestPolicy.organization,
                    TestPolicy.entry("deny", type: #""tokenType":"personal","userLogin":"dev""#, rules: "{}"),
                ], true
            ),
        ]
    )
    func decides(entries: [String], isAllowed: Bool) async throws {
        try await withIdentityServer(.sqlite) { server in
            try await server.registerIssuer(allowing: entries)

            #expect(try await server.exchange().status == (isAllowed ? 200 : 403))
        }
    }

    @Test("is kept as it came, with a version that counts", arguments: Engine.available)
    func isKept(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let id = try await server.registerIssuer(allowing: [TestPolicy.admin, TestPolicy.personal("mia")])

            let policy = try await server.send("GET", "/api/orgs/acme/auth/policies/oidcissuers/\(id)")

            #expect(policy.json["version"].int == 2)
            let first = policy.json["policies"][0]
            let second = policy.json["policies"][1]
            #expect(first["decision"].string == "allow" && first["tokenType"].string == "organization")
            #expect(first["authorizedPermissions"].array.map(\.string) == ["standard", "admin"])
            #expect(first["rules"].strings == ["sub": "repo:acme/site:*"])
            #expect(second["tokenType"].string == "personal" && second["userLogin"].string == "mia")
            #expect(try await server.auditActions().last == "authorization-policy-updated")
        }
    }

    @Test(
        "refuses entries that are none, that let everybody in, or that ask for what is not offered",
        arguments: [
            ("", "policies"), (TestPolicy.entry("maybe"), "policies[0].decision"),
            (TestPolicy.entry(rules: "{}"), "policies[0].rules"),
            (TestPolicy.entry(rules: #"{"sub":"*"}"#), "policies[0].rules"),
            (TestPolicy.entry(rules: #"{"sub":"?.*"}"#), "policies[0].rules"),
            (
                TestPolicy.entry(rules: #"{"aud":"urn:pulumi:org:acme","iss":"https://issuer.example"}"#),
                "policies[0].rules"
            ),
            (TestPolicy.entry(rules: #"{"sub":""}"#), "policies[0].rules.sub"),
            (TestPolicy.entry(rules: #"{"sub":5}"#), "policies[0].rules.sub"),
            (TestPolicy.entry(rules: #"{"sub":["a"]}"#), "policies[0].rules.sub"),
            (TestPolicy.entry(rules: #"{"a..b":"x"}"#), "policies[0].rules"),
            (TestPolicy.entry(rules: #"{"\"a":"x"}"#), "policies[0].rules"),
            (TestPolicy.entry(rules: #"{"":"x"}"#), "policies[0].rules"),
            (TestPolicy.entry(permissions: #"["root"]"#), "policies[0].authorizedPermissions"),
            (TestPolicy.entry(type: #""tokenType":"team","teamName":"x""#), "policies[0].tokenType"),
            (TestPolicy.entry(type: #""tokenType":"runner","runnerID":"x""#), "policies[0].tokenType"),
            (TestPolicy.entry(type: #""tokenType":"future""#), "policies[0].tokenType"),
            (TestPolicy.entry(type: #""tokenType":"personal""#), "policies[0].userLogin"),
            (
                TestPolicy.entry(
                    type: #""tokenType":"personal","userLogin":"dev""#,
                    permissions: #"["admin"]"#
                ), "policies[0].authorizedPermissions"
            ),
            (TestPolicy.entry(type: #""tokenType":"organization","roleID":"r""#), "policies[0].roleID"),
            (Array(repeating: TestPolicy.organization, count: 51).joined(separator: ","), "policies"),
        ]
    )
    func refuses(entries: String, field: String) async throws {
        try await withIdentityServer(.sqlite) { server in
            let id = try await server.registerIssuer()
            let before = try await server.send("GET", "/api/orgs/acme/auth/policies/oidcissuers/\(id)")
            let policy = try #require(before.json["id"].string)

            let reply = try await server.send(
                "PATCH",
                "/api/orgs/acme/auth/policies/\(policy)",
                json: #"{"policies":[\#(entries)]}"#
            )

            #expect(reply.status == 400)
            #expect(reply.message?.contains("\(field): ") == true, "\(reply)")
            #expect(
                try await server.send("GET", "/api/orgs/acme/auth/policies/oidcissuers/\(id)").text == before.text
            )
        }
    }

    @Test("is not found under ids that are none of the organization", arguments: Engine.available)
    func isNotFound(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let id = try await server.registerIssuer()
            let policy = try await server.send("GET", "/api/orgs/acme/auth/policies/oidcissuers/\(id)")
            let policyID = try #require(policy.json["id"].string)
            let body = #"{"policies":[\#(TestPolicy.organization)]}"#

            for (path, caller) in [
                ("/api/orgs/other/auth/policies/\(policyID)", TestCaller.eve),
                ("/api/orgs/acme/auth/policies/\(id)", .dev),
                ("/api/orgs/acme/auth/policies/x", .dev),
            ] {
                #expect(try await server.send("PATCH", path, json: body, as: caller).status == 404, "\(path)")
            }
        }
    }
}
