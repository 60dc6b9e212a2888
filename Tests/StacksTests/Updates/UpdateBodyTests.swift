import APITestKit
import TestKit
import Testing

@Suite("Bodies about updates")
struct UpdateBodyTests {
    private let path = "/api/stacks/acme/site/dev"

    @Test(
        "9: that are not what the protocol says are refused with the reason, and make nothing",
        arguments: [
            ("update", "", "body"), ("update", "[]", "body"), ("update", "{", "body"),
            ("preview", #"{"name":5,"runtime":"","main":"","description":""}"#, "name"),
            ("refresh", #"{"name":"","runtime":"","main":"","description":"","config":[]}"#, "config"),
            ("destroy", #"{"name":"","runtime":"","main":"","description":"","config":{"a:b":"c"}}"#, "config"),
            ("update", #"{"name":"","runtime":"","main":"","description":"","metadata":{"environment":{"a":1}}}"#, "a"),
            ("begin-update", "", "body"), ("begin-update", "{}", "program"),
            ("begin-update", #"{"updateKind":"later","program":{}}"#, "updateKind"),
            ("begin-update", #"{"updateKind":"update","program":{"name":5}}"#, "program.name"),
        ]
    )
    func refusesCreation(kind: String, json: String, field: String) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")

            let reply = try await server.send("POST", "\(path)/\(kind)", json: json)

            #expect(reply.status == 400, "\(reply)")
            #expect(reply.message?.contains(field) == true, "\(reply)")
            #expect(try await server.auditActions() == ["stack-created"])
        }
    }

    @Test(
        "9: of starts that make no sense are refused, and the update waits",
        arguments: [
            ("[]", "body"), ("{", "body"), (#"{"journalVersion":"1"}"#, "journalVersion"),
            (#"{"journalVersion":1.5}"#, "journalVersion"), (#"{"tags":[]}"#, "tags"),
            (#"{"tags":{"a":1}}"#, "tags.a"),
        ]
    )
    func refusesStart(json: String, field: String) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")
            let id = try await server.make(of: "acme/site/dev")

            let refused = try await server.start(id, of: "acme/site/dev", json)
            let started = try await server.start(id, of: "acme/site/dev")

            #expect(refused.status == 400, "\(refused)")
            #expect(refused.message?.contains(field) == true, "\(refused)")
            #expect(started.status == 200)
        }
    }

    @Test("may be empty at a start", arguments: [nil, "", "{}", #"{"tags":null,"journalVersion":null}"#])
    func startsEmpty(json: String?) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")
            let id = try await server.make(of: "acme/site/dev")

            let reply = try await server.send("POST", "\(path)/update/\(id)", json: json)

            #expect(reply.status == 200)
            #expect(!reply.json["journalVersion"].exists)
        }
    }

    @Test(
        "of renewals need a duration",
        arguments: ["{}", #"{"token":""}"#, #"{"token":"","duration":"300"}"#, #"{"token":"","duration":null}"#, "[]"]
    )
    func refusesRenewal(json: String) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")
            let update = try await server.update()

            let reply = try await update.send("POST", "/renew_lease", json)

            #expect(reply.status == 400, "\(reply)")
            #expect(try await update.renew().status == 200)
        }
    }

    @Test(
        "are taken from clients of every age",
        arguments: [
            "{}", #"{"name":"","runtime":"","main":"","description":""}"#,
            """
            {"name":"site","runtime":"nodejs","main":"","description":"","options":{"analyzers":["a"],"color":"raw",\
            "dryRun":false,"parallel":2147483647,"showConfig":false,"showReplacementSteps":false,"showNames":false,\
            "summary":false,"debug":false,"localPolicyPackPaths":null},"config":{},"metadata":{"message":"",\
            "environment":null}}
            """,
            """
            {"name":"site","runtime":"yaml","main":"","description":"","options":{"parallel":0},\
            "config":{"a:b":{"string":"{}","secret":false,"object":true}},"metadata":{"message":"m",\
            "environment":{"pulumi.env.X":"set","":""}},"later":{"x":[1e400]}}
            """,
        ]
    )
    func takesOldAndNew(json: String) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")

            let reply = try await server.send("POST", "\(path)/update", json: json)

            #expect(reply.status == 200, "\(reply)")
            #expect(reply.json["updateID"].string?.isEmpty == false)
        }
    }
}
