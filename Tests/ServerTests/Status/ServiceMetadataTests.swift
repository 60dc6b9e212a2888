import HTTPServer
import APITestKit
import TestKit
import Testing

@Suite("What clients ask about the service")
struct ServiceMetadataTests {
    @Test(
        "1: is answered with and without a credential, even a bad one",
        arguments: ["/api/capabilities", "/api/cli/version", "/livez", "/readyz", "/api/status"],
        [TestCaller.stranger, .dev, .token("bad")]
    )
    func answersEverybody(path: String, caller: TestCaller) async throws {
        try await withFullServer(.sqlite) { server in
            let reply = try await server.send("GET", path, as: caller)

            #expect(reply.status == 200)
            #expect(reply.headers["Content-Type"] == "application/json")
        }
    }

    @Test("2, seen 4: names capabilities in the form that clients read")
    func namesCapabilities() async throws {
        try await withFullServer(.sqlite) { server in
            let reply = try await server.send("GET", "/api/capabilities")

            let list = reply.json["capabilities"].array
            let delta = list.first { $0["capability"].string == "delta-checkpoint-uploads-v2" }
            #expect(list.contains { $0["capability"].string == "batch-encrypt" })
            #expect(delta?["version"].int == 2)
            #expect((delta?["configuration"]["checkpointCutoffSizeBytes"].int ?? 0) > 0)
            let schema = list.first { $0["capability"].string == "deployment-schema-version" }
            #expect(schema?["version"].int == 1)
            #expect(schema?["configuration"]["version"].int == 4)
            for name in ["begin-update", "stack-outputs"] {
                #expect(list.first { $0["capability"].string == name }?["version"].int == 1, "\(name)")
            }
        }
    }

    @Test("tells no client to upgrade")
    func tellsVersion() async throws {
        try await withFullServer(.sqlite) { server in
            let reply = try await server.send("GET", "/api/cli/version")

            #expect(reply.json["latestVersion"].string == "3.0.0")
            #expect(reply.json["oldestWithoutWarning"].string == "1.1.0")
        }
    }

    @Test("answers that an operation is not built, and to whom it may be said")
    func answersUnimplemented() async throws {
        try await withFullServer(.sqlite) { server in
            let stranger = try await server.send("POST", "/api/ai/template", json: "{}", as: .stranger)
            let user = try await server.send("POST", "/api/ai/template", json: "{}")

            #expect(stranger.status == 401)
            #expect(user.status == 501)
            #expect(user.message?.contains("aiTemplate") == true)
        }
    }
}
