import APITestKit
import TestKit
import Testing

@Suite("History of a stack")
struct HistoryTests {
    private let path = "/api/stacks/acme/site/dev"

    @Test("90: shows updates newest first, in pages or at once", arguments: Engine.available)
    func pages(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            for _ in 0..<12 { try await server.run("update", of: "acme/site/dev") }

            let lists = try await ["", "?pageSize=10&page=1", "?pageSize=10&page=2", "?pageSize=10&page=3", "?page=0"]
                .asyncMap { try await server.send("GET", "\(path)/updates\($0)").json["updates"] }
            let versions = lists.map { $0.array.map { $0["version"].int ?? 0 } }

            let all = Array((1...12).reversed())
            #expect(versions == [all, Array(all.prefix(10)), [2, 1], [], all])
            #expect(lists[3].exists)
            for bad in ["page=-1", "pageSize=-1", "page=x", "pageSize=1001"] {
                #expect(try await server.send("GET", "\(path)/updates?\(bad)").status == 400, "\(bad)")
            }
        }
    }

    @Test("90: spells results in its own way, and counts what changed", arguments: Engine.available)
    func entries(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let update = try await server.update()
            let summary = """
                {"sequence":7,"timestamp":5,"summaryEvent":{"maybeCorrupt":false,"durationSeconds":1,\
                "resourceChanges":{"create":2,"same":1},"PolicyPacks":{},"isPreview":false}}
                """
            let running = try await server.send("GET", "\(path)/updates")
            _ = try await update.save([Journal.resource("A", 1), Journal.resource("B", 1)])
            _ = try await update.events([summary])
            server.clock.advance(by: .seconds(30))
            _ = try await update.complete()

            let ended = try await server.send("GET", "\(path)/updates").json["updates"][0]

            let before = running.json["updates"][0]
            #expect(before["result"].string == "in-progress")
            #expect(before["endTime"].int == 0)
            #expect(before["startTime"].int == 1_893_456_000)
            #expect(ended["result"].string == "succeeded")
            #expect(ended["endTime"].int == 1_893_456_030)
            #expect(ended["resourceChanges"]["create"].int == 2)
            #expect(ended["resourceChanges"]["same"].int == 1)
            #expect(ended["resourceCount"].int == 2)
        }
    }

    @Test("91: shows the latest with what its client said, once there is one", arguments: Engine.available)
    func latest(engine: Engine) async throws {
        let environment = #"{"git.head":"abc","stack.environments":"[{\"id\":\"p/e@1\"}]"}"#
        let config =
            #"{"site:a":{"string":"x","secret":false,"object":false},"b:c":{"string":"AAA=","secret":true,"object":true}}"#
        let message = String(repeating: "ä", count: 65_536)
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let fresh = try await server.send("GET", "\(path)/updates/latest")
            let made = try await server.send(
                "POST",
                "\(path)/update",
                json: """
                    {"name":"site","runtime":"yaml","main":"","description":"","options":{"analyzers":[]},\
                    "config":\(config),"metadata":{"message":"\(message)","environment":\(environment)}}
                    """
            )
            let id = try #require(made.json["updateID"].string, "\(made)")
            _ = try await server.start(id, of: "acme/site/dev")

            let reply = try await server.send("GET", "\(path)/updates/latest")
            let byVersion = try await server.send("GET", "\(path)/updates/1")

            #expect(fresh.status == 404)
            #expect(fresh.json["code"].int == 404)
            #expect(reply.json["updateID"].string == id)
            #expect(reply.json["info"]["environment"] == (try JSONView(Array(environment.utf8))))
            #expect(reply.json["info"]["config"]["site:a"]["string"].string == "x")
            #expect(reply.json["info"]["config"]["b:c"]["secret"].bool == true)
            #expect(reply.json["info"]["config"]["b:c"]["object"].bool == true)
            #expect(reply.json["info"]["message"].string == message)
            #expect(reply.json["requestedBy"]["githubLogin"].string == "dev")
            #expect(byVersion.text == reply.text)
            #expect(try await server.send("GET", "\(path)/updates/2").status == 404)
        }
    }

    @Test("is not that of the stack that had the name before", arguments: Engine.available)
    func isOfOneStack(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let old = try await server.run("update", of: "acme/site/dev", saving: [])
            _ = try await server.send("DELETE", "\(path)?force=true")
            try await server.createStack("acme/site/dev")

            #expect(try await server.history() == [])
            #expect(try await server.send("GET", "\(path)/update/\(old)").status == 404)
            #expect(try await server.send("GET", "\(path)/update/\(old)/events").status == 404)
        }
    }
}

extension Array {
    fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
