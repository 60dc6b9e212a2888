import APITestKit
import Crypto
import Persistence
import Testing
import TestKit

@Suite("Secrets of a stack")
struct StackSecretTests {
    private let path = "/api/stacks/acme/site/dev"

    @Test("32, seen 6: come back as they were: any bytes, none, a megabyte", arguments: Engine.available)
    func roundTrip(engine: Engine) async throws {
        let bytes = (0..<32).map { UInt8($0 * 255 / 31) }
        let values = [Base64.encode(bytes), "", Base64.encode([UInt8](repeating: 0xff, count: 1 << 20)), "AA=="]
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            for value in values {
                let ciphertext = try await encrypt(value, server)
                let opened = try await decrypt(ciphertext, server)
                #expect(opened.json["plaintext"].string == value)
            }
        }
    }

    @Test("33: are another ciphertext each time, and no other stack's", arguments: Engine.available)
    func differs(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.createStack("acme/site/prod")
            let first = try await encrypt("AA==", server)
            let second = try await encrypt("AA==", server)
            let foreign = try await encrypt("AA==", server, of: "/api/stacks/acme/site/prod")

            #expect(first != second)
            for ciphertext in [first, second] {
                #expect(try await decrypt(ciphertext, server).json["plaintext"].string == "AA==")
            }
            let refused = try await decrypt(foreign, server)
            #expect(refused.status == 400)
            #expect(refused.message?.contains("Message authentication failed") == true)
        }
    }

    @Test("33: of a stack without a key are none", arguments: Engine.available)
    func withoutKey(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.createStack("acme/site/prod")
            let foreign = try await encrypt("AA==", server)

            let reply = try await decrypt(foreign, server, of: "/api/stacks/acme/site/prod")

            #expect(reply.status == 400)
        }
    }

    @Test("34: that are damaged anywhere are refused", arguments: Engine.available)
    func damaged(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let ciphertext = try await encrypt("c2VjcmV0", server)
            let bytes = try #require(Base64.decode(ciphertext))

            for index in bytes.indices {
                var other = bytes
                other[index] ^= 1
                let reply = try await decrypt(Base64.encode(other), server)
                #expect(reply.status == 400, "byte \(index): \(reply)")
            }
            for length in [0, 1, 12, bytes.count - 1] {
                #expect(try await decrypt(Base64.encode(Array(bytes.prefix(length))), server).status == 400)
            }
        }
    }

    @Test("34: must be plain base64", arguments: ["AA", "AA=", "-_8=", "A A=", "AA==\\n", "AB=="])
    func wrongAlphabet(text: String) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")

            let decrypted = try await decrypt(text, server)
            let encrypted = try await server.send("POST", "\(path)/encrypt", json: #"{"plaintext":"\#(text)"}"#)

            #expect(decrypted.status == 400, "\(decrypted)")
            #expect(encrypted.status == 400, "\(encrypted)")
        }
    }

    @Test(
        "34: need their field",
        arguments: [
            ("encrypt", "{}", "plaintext"), ("encrypt", #"{"plaintext":5}"#, "plaintext"),
            ("encrypt", #"{"plaintext":null}"#, "plaintext"), ("decrypt", "{}", "ciphertext"),
            ("decrypt", "[]", "body"),
            ("batch-encrypt", #"{"plaintexts":"AA=="}"#, "plaintexts"),
            ("batch-decrypt", #"{"ciphertexts":[5]}"#, "ciphertexts"), ("batch-decrypt", "", "body"),
        ]
    )
    func refuses(operation: String, json: String, field: String) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")

            let reply = try await server.send("POST", "\(path)/\(operation)", json: json)

            #expect(reply.status == 400)
            #expect(reply.message?.contains(field) == true, "\(reply)")
        }
    }

    @Test("35: go a thousand at a time, in order, and come back under their own text", arguments: Engine.available)
    func batches(engine: Engine) async throws {
        let plaintexts = (0..<1_000).map { Base64.encode(Array("secret \($0 % 900)".utf8)) } + [""]
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            let encrypted = try await server.send(
                "POST",
                "\(path)/batch-encrypt",
                json: #"{"plaintexts":\#(list(plaintexts))}"#
            )
            let ciphertexts = encrypted.json["ciphertexts"].array.compactMap(\.string)
            let opened = try await batchDecrypt(ciphertexts + [ciphertexts[0]], server)

            #expect(ciphertexts.count == plaintexts.count)
            let expected = Dictionary(zip(ciphertexts, plaintexts)) { first, _ in first }
            #expect(opened.json["plaintexts"].strings == expected)
        }
    }

    @Test("35: in a batch all come back, or none does", arguments: Engine.available)
    func allOrNone(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let good = try await encrypt("AA==", server)

            let bad = try await batchDecrypt([good, "AAAA", good], server)
            try await server.createStack("acme/site/prod")
            let other = try await encrypt("AA==", server, of: "/api/stacks/acme/site/prod")
            let foreign = try await batchDecrypt([good, good, other], server)
            let empty = try await batchDecrypt([], server)
            let emptyEncrypt = try await server.send("POST", "\(path)/batch-encrypt", json: #"{"plaintexts":[]}"#)

            #expect(bad.status == 400)
            #expect(!bad.json["plaintexts"].exists)
            #expect(bad.message == "ciphertexts[1]: Message authentication failed")
            #expect(foreign.status == 400)
            #expect(foreign.message == "ciphertexts[2]: Message authentication failed")
            #expect(empty.json["plaintexts"].strings == [:])
            #expect(emptyEncrypt.json["ciphertexts"].exists && emptyEncrypt.json["ciphertexts"].array.isEmpty)
        }
    }

    @Test("36: that a client decrypted by itself are noted", arguments: Engine.available)
    func logs(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            let single = try await server.send("POST", "\(path)/decrypt/log-decryption", json: #"{"secretName":"k"}"#)
            let batch = try await server.send(
                "POST",
                "\(path)/decrypt/log-batch-decryption",
                json: #"{"commandName":"pulumi config"}"#
            )

            #expect(single.isSuccess)
            #expect(batch.isSuccess)
            #expect(try await server.auditActions().count == 3)
            for operation in ["log-decryption", "log-batch-decryption"] {
                let target = "/api/stacks/acme/site/none/decrypt/\(operation)"
                #expect(try await server.send("POST", target, json: "{}").status == 404)
            }
        }
    }

    @Test("37: are not for the token of an update, nor for strangers", arguments: Engine.available)
    func needsPerson(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let update = try await server.update()

            for (caller, status) in [(update.holder, 401), (.stranger, 401), (.eve, 404), (.root, 404)] {
                for operation in ["encrypt", "decrypt", "batch-encrypt", "batch-decrypt"] {
                    let reply = try await server.send("POST", "\(path)/\(operation)", json: "{}", as: caller)
                    #expect(reply.status == status, "\(operation)")
                }
            }
        }
    }

    @Test("of one stack have one key, however many encrypt first at once", arguments: Engine.available)
    func makesOneKey(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            let ciphertexts = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<64 { group.addTask { try await encrypt("AA==", server) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            let opened = try await batchDecrypt(ciphertexts, server)
            #expect(opened.json["plaintexts"].strings?.count == 64)
            let keys = try await server.database.read { tx in try tx.count("SELECT COUNT(*) FROM data_keys") }
            #expect(keys == 1)
        }
    }

    @Test("of a stack that is not there make no key", arguments: Engine.available)
    func makesNoKey(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            let reply = try await server.send("POST", "\(path)/encrypt", json: #"{"plaintext":"AA=="}"#)

            #expect(reply.status == 404)
            let keys = try await server.database.read { tx in try tx.count("SELECT COUNT(*) FROM data_keys") }
            #expect(keys == 0)
        }
    }

    @Test("28: die with their stack, also for one of the same name", arguments: Engine.available)
    func dieWithStack(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let ciphertext = try await encrypt("AA==", server)
            _ = try await server.update(journal: 2).cancel()
            _ = try await server.send("DELETE", "\(path)?force=true")
            try await server.createStack("acme/site/dev")

            let before = try await decrypt(ciphertext, server)
            _ = try await encrypt("AA==", server)
            let after = try await decrypt(ciphertext, server)
            let stack = try await server.send("GET", path)

            #expect(before.status == 400)
            #expect(after.status == 400)
            #expect(stack.json["version"].int == 0)
            #expect(stack.json["activeUpdate"].string == "")
            #expect(try await server.history() == [])
            #expect(try await server.resources() == [])
        }
    }

    @Test("seen 17: are decrypted under a former name until another stack takes it", arguments: Engine.available)
    func formerName(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let ciphertext = try await encrypt("AA==", server)
            _ = try await server.send("POST", "\(path)/rename", json: #"{"newName":"prod"}"#)

            let old = try await decrypt(ciphertext, server)
            let oldBatch = try await batchDecrypt([ciphertext], server)
            let new = try await decrypt(ciphertext, server, of: "/api/stacks/acme/site/prod")
            let encrypted = try await server.send("POST", "\(path)/encrypt", json: #"{"plaintext":"AA=="}"#)
            try await server.createStack("acme/site/dev")
            let taken = try await decrypt(ciphertext, server)

            #expect(old.json["plaintext"].string == "AA==")
            #expect(oldBatch.json["plaintexts"].strings == [ciphertext: "AA=="])
            #expect(new.json["plaintext"].string == "AA==")
            #expect(encrypted.status == 404)
            #expect(taken.status == 400)
        }
    }

    private func encrypt(
        _ plaintext: String,
        _ server: TestServer,
        of stack: String = "/api/stacks/acme/site/dev"
    ) async throws -> String {
        let reply = try await server.send("POST", "\(stack)/encrypt", json: #"{"plaintext":"\#(plaintext)"}"#)
        return try #require(reply.json["ciphertext"].string, "\(reply)")
    }

    private func decrypt(
        _ ciphertext: String,
        _ server: TestServer,
        of stack: String = "/api/stacks/acme/site/dev"
    ) async throws -> TestReply {
        try await server.send("POST", "\(stack)/decrypt", json: #"{"ciphertext":"\#(ciphertext)"}"#)
    }

    private func batchDecrypt(_ ciphertexts: [String], _ server: TestServer) async throws -> TestReply {
        var request = TestRequest(
            "POST",
            "\(path)/batch-decrypt",
            json: #"{"ciphertexts":\#(list(ciphertexts))}"#
        )
        // Where nothing is decrypted there is nothing to write down.
        request.mustBeAudited = !ciphertexts.isEmpty
        return try await server.send(request)
    }

    private func list(_ values: [String]) -> String {
        "[\(values.map { "\"\($0)\"" }.joined(separator: ","))]"
    }
}
