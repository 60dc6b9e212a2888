import APITestKit
import TestKit
import Testing

@Suite("Secrets of a project")
struct ProjectSecretTests {
    private let path = "/api/projects/acme/site"

    @Test("are encrypted, and decrypted one by one and together", arguments: Engine.available)
    func roundTrip(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let one = try await encrypt("b25l", server)
            let two = try await encrypt("dHdv", server)

            let single = try await server.send("POST", "\(path)/decrypt", json: #"{"ciphertext":"\#(one)"}"#)
            let batch = try await server.send(
                "POST",
                "\(path)/batch-decrypt",
                json: #"{"ciphertexts":["\#(one)","\#(two)"]}"#
            )

            #expect(single.json["plaintext"].string == "b25l")
            #expect(batch.json["plaintexts"].strings == [one: "b25l", two: "dHdv"])
        }
    }

    @Test("stay readable when the project's stacks change", arguments: Engine.available)
    func outlivesStacks(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let ciphertext = try await encrypt("b25l", server)
            try await server.createStack("acme/site/prod")

            _ = try await server.send("DELETE", "/api/stacks/acme/site/dev?force=true")

            let reply = try await server.send("POST", "\(path)/decrypt", json: #"{"ciphertext":"\#(ciphertext)"}"#)
            #expect(reply.json["plaintext"].string == "b25l")
        }
    }

    @Test("are no other project's and no stack's", arguments: Engine.available)
    func staysApart(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.createStack("acme/shop/dev")
            let ciphertext = try await encrypt("b25l", server)
            _ = try await server.send("POST", "/api/projects/acme/shop/encrypt", json: #"{"plaintext":"b25l"}"#)
            let json = #"{"ciphertext":"\#(ciphertext)"}"#

            for place in ["/api/projects/acme/shop", "/api/stacks/acme/site/dev"] {
                #expect(try await server.send("POST", "\(place)/decrypt", json: json).status == 400, "\(place)")
            }
        }
    }

    @Test("need a project, a key and a value", arguments: Engine.available)
    func refuses(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            let requests: [(String, String, Int)] = [
                ("/api/projects/acme/none/encrypt", #"{"plaintext":"b25l"}"#, 404),
                ("/api/projects/acme/none/decrypt", #"{"ciphertext":"b25l"}"#, 404),
                ("\(path)/decrypt", #"{"ciphertext":"b25l"}"#, 400),
                ("\(path)/encrypt", "{}", 400),
                ("\(path)/decrypt", #"{"ciphertext":"?"}"#, 400),
            ]
            for (target, json, status) in requests {
                #expect(try await server.send("POST", target, json: json).status == status, "\(target) \(json)")
            }
        }
    }

    @Test("are of the organization's members", arguments: Engine.available)
    func needsPermission(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            for (caller, status) in [(TestCaller.stranger, 401), (.eve, 404), (.mia, 200)] {
                let reply = try await server.send("POST", "\(path)/encrypt", json: #"{"plaintext":""}"#, as: caller)
                #expect(reply.status == status)
            }
        }
    }

    private func encrypt(_ plaintext: String, _ server: TestServer) async throws -> String {
        let reply = try await server.send("POST", "\(path)/encrypt", json: #"{"plaintext":"\#(plaintext)"}"#)
        return try #require(reply.json["ciphertext"].string, "\(reply)")
    }
}
