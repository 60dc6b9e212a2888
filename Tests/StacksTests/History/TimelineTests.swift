import APITestKit
import TestKit
import Testing

@Suite("What happened to a stack")
struct TimelineTests {
    private let path = "/api/stacks/acme/site/dev"

    @Test("is told with the tries and previews that led to an update", arguments: Engine.available)
    func tellsTimeline(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let first = try await server.run("update", of: "acme/site/dev")
            let before = try await server.run("preview", of: "acme/site/dev")
            let failed = try await server.run("update", of: "acme/site/dev", status: "failed")
            let between = try await server.run("preview", of: "acme/site/dev")
            let third = try await server.run("update", of: "acme/site/dev")
            try await server.run("preview", of: "acme/site/dev")

            let timeline = try await server.send("GET", "\(path)/updates/3/timeline")
            let latest = try await server.send("GET", "\(path)/updates/latest/timeline")
            let start = try await server.send("GET", "\(path)/updates/1/timeline")

            #expect(timeline.text == latest.text)
            #expect(timeline.json["update"]["updateID"].string == third)
            #expect(ids(timeline.json["collatedUpdateEvents"]) == [failed])
            #expect(ids(timeline.json["previews"]) == [before, between])
            #expect(start.json["update"]["updateID"].string == first)
            #expect(ids(start.json["collatedUpdateEvents"]).isEmpty)
            #expect(ids(start.json["previews"]).isEmpty)
        }
    }

    @Test(
        "lists the previews of a version, oldest first unless told otherwise",
        arguments: Engine.available
    )
    func listsPreviews(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.run("preview", of: "acme/site/dev")
            try await server.run("update", of: "acme/site/dev")
            let one = try await server.run("preview", of: "acme/site/dev")
            let two = try await server.run("preview", of: "acme/site/dev")

            let all = try await server.send("GET", "\(path)/updates/1/previews")
            let newest = try await server.send("GET", "\(path)/updates/1/previews?asc=false&page=1&pageSize=1")
            let latest = try await server.send("GET", "\(path)/updates/latest/previews?asc=false&page=1&pageSize=1")

            #expect(ids(all.json["updates"]) == [one, two])
            #expect(all.json["total"].int == 2)
            #expect(ids(newest.json["updates"]) == [two])
            #expect(newest.json["total"].int == 2)
            #expect(ids(latest.json["updates"]) == [two])
            #expect(latest.json["total"].int == 3)
        }
    }

    @Test("is listed newest first, in pages or at once", arguments: Engine.available)
    func listsActivity(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            var updates: [String] = []
            for _ in 0..<3 { updates.append(try await server.run("update", of: "acme/site/dev")) }

            let all = try await server.send("GET", "\(path)/activity")
            let second = try await server.send("GET", "\(path)/activity?page=2&pageSize=2")

            #expect(all.json["activity"].array.map { $0["update"]["updateID"].string } == updates.reversed())
            #expect(second.json["activity"].array.map { $0["update"]["updateID"].string } == [updates[0]])
            #expect(second.json["total"].int == 3)
            #expect(second.json["itemsPerPage"].int == 2)
        }
    }

    @Test("is nothing before the first update", arguments: Engine.available)
    func isEmpty(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            #expect(try await server.send("GET", "\(path)/activity").json["activity"].array.isEmpty)
            let expected: [(String, Int)] = [
                ("updates/latest/timeline", 404), ("updates/1/timeline", 404), ("updates/1/previews", 404),
                ("updates/0/timeline", 400), ("updates/x/previews", 400), ("activity?page=-1", 400),
                ("activity?pageSize=x", 400),
            ]
            for (target, status) in expected {
                #expect(try await server.send("GET", "\(path)/\(target)").status == status, "\(target)")
            }
            #expect(try await server.send("GET", "\(path)/activity", as: .eve).status == 404)
        }
    }

    private func ids(_ list: JSONView) -> [String?] {
        list.array.map { $0["updateID"].string }
    }
}
