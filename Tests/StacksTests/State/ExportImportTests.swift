import APITestKit
import TestKit
import Testing

@Suite("States that are exported and imported")
struct ExportImportTests {
    private let path = "/api/stacks/acme/site/dev"

    @Test("38: of a fresh stack read as empty ones", arguments: Engine.available)
    func fresh(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            let reply = try await server.export()

            #expect(reply.status == 200)
            #expect(reply.json["version"].int == 3)
            #expect(reply.json["deployment"]["manifest"]["magic"].string == "")
            #expect(try await server.export(version: 1).status == 404)
        }
    }

    @Test("39: come back to the byte, whatever is in them", arguments: Engine.available)
    func keepsBytes(engine: Engine) async throws {
        let inputs = """
            {"a":1234567890123456789012345,"b":1.10,"c":-0,"d":"\\u003c\\u2028\u{2028}😀\\u0000\\ud800","e":{},"f":[],\
            "g":null,"__proto__":1,"h":1.0,"k":1E+2}
            """
        let state = """
            { "version":4, "features":["taint"],
              "future":[1, {"x":null}], "deployment":{"manifest":{"time":"0001-01-01T00:00:00Z","magic":"","version":""},
              "resources":[ {"urn":"A","custom":false,"type":"t","taint":true,"new":{"deep":[]},"inputs":\(inputs)} ],
              "later":1.50}, "z":"é" }
            """
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            let imported = try await server.send("POST", "\(path)/import", json: state)

            #expect(imported.status == 200)
            #expect(try await server.export().text == state)
            #expect(try await server.export(version: 1).text == state)
        }
    }

    @Test("39: may be deep, and their values large", arguments: Engine.available)
    func deepAndLarge(engine: Engine) async throws {
        let deep = String(repeating: #"{"a":["#, count: 200) + "1" + String(repeating: "]}", count: 200)
        let large = String(repeating: "x", count: 3 << 20)
        let state = TestServer.state([Journal.resource("A", 1, #""inputs":{"deep":\#(deep),"large":"\#(large)"}"#)])
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            let imported = try await server.send("POST", "\(path)/import", json: state)
            let update = try await server.update()
            let saved = try await update.save(verbatim: state, 1)

            #expect(imported.status == 200)
            #expect(saved.status == 204)
            #expect(try await server.export().text == state)
            #expect(try await server.export(version: 1).text == state)
        }
    }

    @Test("40: are a version, with an update that has succeeded and nothing more to say", arguments: Engine.available)
    func imports(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            let reply = try await server.send(
                "POST",
                "\(path)/import",
                json: TestServer.state([Journal.resource("A", 1)])
            )
            let id = try #require(reply.json["updateId"].string)
            let polled = try await server.send("GET", "\(path)/update/\(id)")

            #expect(polled.json["status"].string == "succeeded")
            #expect(polled.json["events"].exists && polled.json["events"].array.isEmpty)
            #expect(!polled.json["continuationToken"].exists || polled.json["continuationToken"].isNull)
            #expect(try await server.version() == 1)
            #expect(try await server.history() == ["import succeeded 1"])
            let history = try await server.send("GET", "\(path)/updates")
            #expect(history.json["updates"][0]["resourceCount"].int == 1)
        }
    }

    @Test("41: are kept of every version, whatever made it", arguments: Engine.available)
    func versions(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let urn = { (name: String, stack: String) in "urn:pulumi:\(stack)::site::t::\(name)" }
            let run = { (kind: String, journal: Int?, name: String, status: String) in
                let update = try await server.update(kind, journal: journal)
                if journal == nil {
                    for version in 1...3 { _ = try await update.save([Journal.resource(urn(name, "dev"), version)]) }
                } else {
                    _ = try await update.journal(Journal.create(1, 1, urn(name, "dev"), 3))
                }
                #expect(try await update.complete(status).status == 204)
            }
            try await run("update", nil, "A", "succeeded")
            try await run("update", nil, "B", "failed")
            try await run("refresh", 2, "C", "succeeded")
            try await server.importState([Journal.resource(urn("D", "dev"))], into: "acme/site/dev")
            _ = try await server.send("POST", "\(path)/rename", json: #"{"newName":"prod"}"#)
            let empty = try await server.update(of: "acme/site/prod")
            _ = try await empty.complete()

            let stack = "acme/site/prod"
            let names = [["A"], ["B"], ["C", "B"], ["D"]].map { $0.map { "\(urn($0, "dev"))@3" } }
            #expect(try await server.resources(stack, version: 1) == names[0])
            #expect(try await server.resources(stack, version: 2) == names[1])
            #expect(try await server.resources(stack, version: 3) == names[2])
            #expect(try await server.resources(stack, version: 4) == [urn("D", "dev")])
            for version in [5, 6] {
                #expect(try await server.resources(stack, version: version) == [urn("D", "prod")])
            }
            #expect(try await server.export(stack, version: 7).status == 404)
            for bad in ["0", "-1", "x", "1.0", "99999999999999999999"] {
                let reply = try await server.send("GET", "/api/stacks/\(stack)/export/\(bad)")
                #expect(reply.status == 400)
                #expect(reply.message?.contains("invalid 'version' parameter") == true)
            }
            #expect(
                try await server.history(of: stack) == [
                    "update succeeded 6", "rename succeeded 5", "import succeeded 4", "refresh succeeded 3",
                    "update failed 2", "update succeeded 1",
                ]
            )
        }
    }

    @Test(
        "42: that are none are refused with the reason, and the state stays",
        arguments: [
            (#"{"version":0,"deployment":{}}"#, "version"), (#"{"version":5,"deployment":{}}"#, "version"),
            (#"{"deployment":{}}"#, "version"), (#"{"version":3}"#, "deployment"),
            (#"{"version":3,"deployment":"text"}"#, "deployment"), (#"{"version":3,"deployment":[]}"#, "deployment"),
            (#"{"version":3,"deployment":{"resources":{}}}"#, "resources"),
            (#"{"version":3,"deployment":{"resources":[5]}}"#, "resources"), ("[]", ""), ("", ""), ("5", ""),
            (#"{"version":3,"deployment":{}"#, ""), (#"{"version":3,"deployment":{}}x"#, ""),
        ]
    )
    func refuses(json: String, reason: String) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")
            try await server.importState([Journal.resource("A", 1)], into: "acme/site/dev")

            let reply = try await server.send("POST", "\(path)/import", json: json)

            #expect(reply.status == 400, "\(reply)")
            #expect(reply.message?.contains(reason) == true, "\(reply)")
            #expect(try await server.resources() == ["A@1"])
            #expect(try await server.version() == 1)
        }
    }

    @Test("may be empty ones", arguments: [#"{"version":3,"deployment":null}"#, #"{"version":3,"deployment":{}}"#])
    func importsEmpty(state: String) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")
            try await server.importState([Journal.resource("A", 1)], into: "acme/site/dev")

            let reply = try await server.send("POST", "\(path)/import", json: state)

            #expect(reply.status == 200)
            #expect(try await server.export().text == state)
            #expect(try await server.send("DELETE", "\(path)?force=false").status == 204)
        }
    }

    @Test(
        "43: with ciphertexts of another stack are refused; without, or of this stack, they are taken",
        arguments: Engine.available
    )
    func foreignSecrets(engine: Engine) async throws {
        let secret =
            #""inputs":{"x":{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","ciphertext":"AAA="}}"#
        let state = { (stack: String, resource: String) in
            let provider = #"{"type":"service","state":{"owner":"acme","project":"site","stack":"\#(stack)"}}"#
            return TestServer.state([resource])
                .replacing(#""resources""#, with: #""secrets_providers":\#(provider),"resources""#)
        }
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            let foreign = try await server.send(
                "POST",
                "\(path)/import",
                json: state("prod", Journal.resource("A", 1, secret))
            )
            let plain = try await server.send("POST", "\(path)/import", json: state("prod", Journal.resource("A", 2)))
            let own = try await server.send(
                "POST",
                "\(path)/import",
                json: state("dev", Journal.resource("A", 3, secret))
            )

            #expect(foreign.status == 400)
            #expect(foreign.message?.contains("encrypted secrets from a different stack") == true)
            #expect(plain.status == 200)
            #expect(own.status == 200)
            #expect(try await server.version() == 2)
        }
    }

    @Test("44: at the same time are versions one after the other", arguments: Engine.available)
    func parallel(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 1...8 {
                    group.addTask {
                        let json = TestServer.state([Journal.resource("A", number)])
                        return try await server.send("POST", "/api/stacks/acme/site/dev/import", json: json).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            #expect(statuses.allSatisfy { $0 == 200 || $0 == 409 })
            let count = statuses.filter { $0 == 200 }.count
            #expect(try await server.version() == count)
            var all: Set<String> = []
            for version in 1...count { all.formUnion(try await server.resources(version: version)) }
            #expect(all.count == count)
        }
    }

    @Test("22: may come with the making of a stack, and are no version", arguments: Engine.available)
    func comesWithCreation(engine: Engine) async throws {
        let state = TestServer.state([])
            .replacing(#""resources":[]"#, with: #""secrets_providers":{"type":"passphrase","state":{"salt":"v1:x"}}"#)
        try await withStackServer(engine) { server in
            let made = try await server.send(
                "POST",
                "/api/stacks/acme/site",
                json: #"{"stackName":"dev","state":\#(state)}"#
            )
            let bad = try await server.send(
                "POST",
                "/api/stacks/acme/site",
                json: #"{"stackName":"other","state":{"version":9,"deployment":{}}}"#
            )

            #expect(made.status == 200)
            #expect(try await server.export().text == state)
            #expect(try await server.version() == 0)
            #expect(try await server.history() == [])
            #expect(bad.status == 400)
            #expect(try await !server.stackExists("acme/site/other"))
        }
    }

    @Test("seen 18: show their root's outputs with secrets as they are", arguments: Engine.available)
    func outputs(engine: Engine) async throws {
        let secret = #"{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","ciphertext":"AAA="}"#
        let provider = #"{"type":"service","state":{"owner":"acme","project":"site","stack":"dev"}}"#
        let root = TestServer.root("site", "dev", outputs: #"{"first":1.10,"hidden":\#(secret)}"#)
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let fresh = try await server.send("GET", "\(path)/outputs")
            let state = TestServer.state([root])
                .replacing(#""resources""#, with: #""secrets_providers":\#(provider),"resources""#)
            _ = try await server.send("POST", "\(path)/import", json: state)

            let reply = try await server.send("GET", "\(path)/outputs")

            #expect(fresh.status == 200)
            #expect(fresh.json["outputs"].names == [])
            #expect(reply.text.contains(#""first":1.10"#))
            #expect(reply.json["outputs"]["hidden"]["ciphertext"].string == "AAA=")
            #expect(reply.json["secretsProviders"]["state"]["stack"].string == "dev")
            #expect(try await server.send("GET", "\(path)/outputs", as: .eve).status == 404)
        }
    }
}
