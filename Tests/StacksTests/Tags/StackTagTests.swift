import APITestKit
import TestKit
import Testing

@Suite("Tags of a stack")
struct StackTagTests {
    private let path = "/api/stacks/acme/site/dev/tags"

    @Test("27: are replaced as a whole, but for the one that follows the project", arguments: Engine.available)
    func replaces(engine: Engine) async throws {
        try await withTags(engine) { server in
            let reply = try await server.send("PATCH", path, json: #"{"b":"2","c":"3"}"#)

            #expect(reply.status == 204)
            #expect(try await server.tags(of: "acme/site/dev") == ["b": "2", "c": "3", "pulumi:project": "site"])
            #expect(try await server.auditActions() == ["stack-created", "stack-tags-updated"])
        }
    }

    @Test("may all be taken away", arguments: Engine.available)
    func empties(engine: Engine) async throws {
        try await withTags(engine) { server in
            let reply = try await server.send("PATCH", path, json: "{}")

            #expect(reply.status == 204)
            #expect(try await server.tags(of: "acme/site/dev") == ["pulumi:project": "site"])
        }
    }

    @Test("tell names apart by case, and values as they are", arguments: Engine.available)
    func tellsCaseApart(engine: Engine) async throws {
        try await withTags(engine) { server in
            let reply = try await server.send("PATCH", path, json: #"{"x":"1 ","X":"2","Y":"ä 😀\u0000"}"#)

            #expect(reply.status == 204)
            let tags = try await server.tags(of: "acme/site/dev")
            #expect(tags == ["x": "1 ", "X": "2", "Y": "ä 😀\0", "pulumi:project": "site"])
        }
    }

    @Test("are added one by one, once", arguments: Engine.available)
    func adds(engine: Engine) async throws {
        try await withTags(engine) { server in
            let first = try await server.send("POST", path, json: #"{"name":"new","value":"x"}"#)
            let second = try await server.send("POST", path, json: #"{"name":"new","value":"y"}"#)

            #expect(first.status == 204)
            #expect(second.status == 400)
            #expect(second.message?.contains("name: ") == true)
            #expect(try await server.tags(of: "acme/site/dev")["new"] == "x")
        }
    }

    @Test("are changed one by one, in value and name", arguments: Engine.available)
    func changes(engine: Engine) async throws {
        try await withTags(engine) { server in
            let value = try await server.send("PATCH", "\(path)/a", json: #"{"name":"a","value":"9"}"#)
            let name = try await server.send("PATCH", "\(path)/b", json: #"{"name":"z","value":"8"}"#)

            #expect(value.status == 204)
            #expect(name.status == 204)
            #expect(try await server.tags(of: "acme/site/dev") == ["a": "9", "z": "8", "pulumi:project": "site"])
        }
    }

    @Test("are deleted one by one, once", arguments: Engine.available)
    func deletes(engine: Engine) async throws {
        try await withTags(engine) { server in
            let first = try await server.send("DELETE", "\(path)/a")
            let second = try await server.send("DELETE", "\(path)/a")

            #expect(first.status == 204)
            #expect(second.status == 404)
            #expect(try await server.tags(of: "acme/site/dev") == ["b": "2", "pulumi:project": "site"])
        }
    }

    @Test(
        "stay as they are when the change is refused",
        arguments: [
            Refusal("PATCH", "", #"{"pulumi:project":"shop"}"#, 400, "pulumi:project"),
            Refusal("PATCH", "", #"{"a b":"x"}"#, 400, "tags.a b"),
            Refusal("PATCH", "", #"{"":"x"}"#, 400, "tags."),
            Refusal("PATCH", "", #"{"a":5}"#, 400, "a:"),
            Refusal("PATCH", "", #"{"a":null}"#, 400, "a:"),
            Refusal("PATCH", "", #"{"a":"1","a":"2"}"#, 400, "body:"),
            Refusal("PATCH", "", "[]", 400, "body:"),
            Refusal("PATCH", "", #"{"a":"#, 400, "body:"),
            Refusal("PATCH", "", "", 400, "body:"),
            Refusal("POST", "", #"{"name":"","value":"x"}"#, 400, "name"),
            Refusal("POST", "", #"{"name":"a/b","value":"x"}"#, 400, "a/b"),
            Refusal("POST", "", #"{"name":"new"}"#, 400, "value"),
            Refusal("POST", "", #"{"value":"x"}"#, 400, "name"),
            Refusal("POST", "", #"{"name":"pulumi:project","value":"x"}"#, 400, "pulumi:project"),
            Refusal("PATCH", "/none", #"{"name":"none","value":"x"}"#, 404, "none"),
            Refusal("PATCH", "/a", #"{"name":"b","value":"x"}"#, 400, "b"),
            Refusal("PATCH", "/a", #"{"name":"a b","value":"x"}"#, 400, "a b"),
            Refusal("PATCH", "/a", #"{"name":"pulumi:project","value":"x"}"#, 400, "pulumi:project"),
            Refusal("PATCH", "/pulumi:project", #"{"name":"pulumi:project","value":"x"}"#, 400, "pulumi:project"),
            Refusal("DELETE", "/pulumi:project", nil, 400, "pulumi:project"),
            Refusal("DELETE", "/pulumi%3Aproject", nil, 400, "pulumi:project"),
            Refusal("DELETE", "/A", nil, 404, "A"),
        ]
    )
    func refuses(refusal: Refusal) async throws {
        try await withTags(.sqlite) { server in
            let reply = try await server.send(refusal.method, "\(path)\(refusal.suffix)", json: refusal.json)

            #expect(reply.status == refusal.status)
            #expect(reply.message?.contains(refusal.text) == true, "\(reply)")
            #expect(try await server.tags(of: "acme/site/dev") == ["a": "1", "b": "2", "pulumi:project": "site"])
        }
    }

    @Test(
        "name the stack's own project where they name one, as its file or as its path spells it",
        arguments: [("POST", 400), ("PATCH", 400)],
        ["shop", "", "site ", "SITE"]
    )
    func refusesOtherProjects(method: (String, Int), project: String) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")
            let json =
                method.0 == "POST"
                ? #"{"name":"pulumi:project","value":"\#(project)"}"# : #"{"pulumi:project":"\#(project)"}"#

            let reply = try await server.send(method.0, path, json: json)

            #expect(reply.status == method.1)
            #expect(reply.message?.contains("pulumi:project") == true)
            #expect(try await server.tags(of: "acme/site/dev") == [:])
        }
    }

    @Test(
        "may name the project of a stack that has no such tag",
        arguments: ["POST", "PATCH"],
        ["my site", "my-site"]
    )
    func takesOwnProject(method: String, project: String) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/my-site/dev")
            let json =
                method == "POST"
                ? #"{"name":"pulumi:project","value":"\#(project)"}"# : #"{"pulumi:project":"\#(project)"}"#

            let reply = try await server.send(method, "/api/stacks/acme/my-site/dev/tags", json: json)

            #expect(reply.status == 204)
            #expect(try await server.tags(of: "acme/my-site/dev") == ["pulumi:project": project])
        }
    }

    @Test("are all there when many are added at once", arguments: Engine.available)
    func addsTogether(engine: Engine) async throws {
        try await withTags(engine) { server in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<16 {
                    group.addTask {
                        let json = #"{"name":"n\#(number)","value":"x"}"#
                        return try await server.send("POST", "/api/stacks/acme/site/dev/tags", json: json).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            #expect(statuses.allSatisfy { $0 == 204 })
            #expect(try await server.tags(of: "acme/site/dev").count == 19)
        }
    }

    @Test("27: are limited in length", arguments: [(40, 256, 204), (41, 1, 400), (1, 257, 400)])
    func limits(name: Int, value: Int, status: Int) async throws {
        try await withTags(.sqlite) { server in
            let json =
                #"{"\#(String(repeating: "n", count: name))":"\#(String(repeating: "v", count: value))"}"#

            let reply = try await server.send("PATCH", path, json: json)

            #expect(reply.status == status)
        }
    }

    @Test("are no business of others; members may change them", arguments: Engine.available)
    func needsPermission(engine: Engine) async throws {
        try await withTags(engine) { server in
            let expected: [(TestCaller, Int)] = [(.stranger, 401), (.eve, 404), (.root, 404), (.mia, 204), (.dev, 204)]
            for (caller, status) in expected {
                let reply = try await server.send("PATCH", path, json: #"{"a":"1"}"#, as: caller)
                #expect(reply.status == status)
            }
            let missing = try await server.send("PATCH", "/api/stacks/acme/site/none/tags", json: "{}")
            #expect(missing.status == 404)
        }
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let method: String
        let suffix: String
        let json: String?
        let status: Int
        let text: String

        init(_ method: String, _ suffix: String, _ json: String?, _ status: Int, _ text: String) {
            self.method = method
            self.suffix = suffix
            self.json = json
            self.status = status
            self.text = text
        }

        var testDescription: String { "\(method) tags\(suffix) \(json ?? "")" }
    }

    /// A stack with tags.
    private func withTags(_ engine: Engine, _ body: (TestServer) async throws -> Void) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev", tags: #"{"a":"1","b":"2","pulumi:project":"site"}"#)
            try await body(server)
        }
    }
}
