import APITestKit
import HTTPServer
import TestKit
import Testing

@Suite("Annotations of a stack")
struct StackAnnotationTests {
    private let path = "/api/stacks/acme/site/dev/annotations/review"

    @Test("are kept byte for byte, with a version that rises", arguments: Engine.available)
    func keepsText(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let text = #"{"b":1.50,"a":[12345678901234567890,"\u00e9"]}"#

            let first = try await server.send("PATCH", path, json: "null")
            let second = try await server.send("PATCH", path, json: text)
            let read = try await server.send("GET", path)

            #expect(first.status == 204)
            #expect(second.status == 204)
            #expect(read.status == 200)
            #expect(read.text == text)
            #expect(read.headers["ETag"] == "\"2\"")
        }
    }

    @Test("are apart by kind and source", arguments: Engine.available)
    func keepsApart(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            _ = try await server.send("PATCH", path, json: "1")
            _ = try await server.send("PATCH", "\(path)?source=a", json: "2")
            _ = try await server.send("PATCH", "/api/stacks/acme/site/dev/annotations/other", json: "3")

            #expect(try await server.send("GET", path).text == "1")
            #expect(try await server.send("GET", "\(path)?source=a").text == "2")
            #expect(try await server.send("GET", "\(path)?source=b").status == 404)
            #expect(try await server.send("GET", "\(path)s").status == 404)
        }
    }

    @Test("are not overwritten by a writer who has seen another version", arguments: Engine.available)
    func refusesOldVersion(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            _ = try await server.send("PATCH", path, json: "1")
            _ = try await server.send("PATCH", "\(path)?version=1", json: "2")

            let late = try await server.send("PATCH", "\(path)?version=1", json: "3")
            let early = try await server.send("PATCH", "\(path)?version=7", json: "3")

            #expect(late.status == 409)
            #expect(early.status == 409)
            #expect(try await server.send("GET", path).text == "2")
            #expect(try await server.send("GET", "\(path)?version=2").text == "2")
            #expect(try await server.send("GET", "\(path)?version=1").status == 404)
        }
    }

    @Test("refuse what is no JSON and names that are none", arguments: Engine.available)
    func refusesNonsense(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            let requests: [(String, String)] = [
                (path, "{"), (path, ""), (path, "1 2"), ("\(path)?source=a%20b", "1"),
                ("/api/stacks/acme/site/dev/annotations/a%2Fb", "1"), ("\(path)?version=x", "1"),
            ]
            for (target, json) in requests {
                #expect(try await server.send("PATCH", target, json: json).status == 400, "\(target) \(json)")
            }
            #expect(try await server.send("GET", path).status == 404)
        }
    }

    @Test("are of those who may read and write the stack", arguments: Engine.available)
    func needsPermission(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            for (caller, status) in [(TestCaller.stranger, 401), (.eve, 404), (.mia, 204)] {
                #expect(try await server.send("PATCH", path, json: "1", as: caller).status == status)
            }
            #expect(try await server.send("GET", path, as: .eve).status == 404)
        }
    }
}
