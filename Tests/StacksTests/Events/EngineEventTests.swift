import APITestKit
import HTTPServer
import Kernel
import ObjectStorage
import Testing
import TestKit

@Suite("Engine events of an update")
struct EngineEventTests {
    @Test("87: come back in their order, once each, the first one included", arguments: Engine.available)
    func sorts(engine: Engine) async throws {
        try await withUpdate(engine) { _, update in
            let batches = [100..<150, 0..<50, 50..<100, 0..<50].map { Save.events($0.map(Save.event)) }

            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for batch in batches {
                    group.addTask { try await update.send("POST", "/events/batch", batch).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            #expect(statuses == [204, 204, 204, 204])
            #expect(try await sequences(update) == Array(0..<150))
        }
    }

    @Test("88: end without a token when the update has ended, and never before", arguments: Engine.available)
    func pages(engine: Engine) async throws {
        try await withUpdate(engine) { _, update in
            let empty = try await read(update)
            _ = try await update.events((0..<1_500).map(Save.event))
            let first = try await read(update)
            let token = try #require(first.json["continuationToken"].string)
            let second = try await read(update, "?continuationToken=\(token)")
            let tail = try #require(second.json["continuationToken"].string)
            let waiting = try await read(update, "?continuationToken=\(tail)")
            _ = try await update.complete()
            let last = try await read(update, "?continuationToken=\(tail)")

            #expect(empty.json["events"].array.isEmpty)
            #expect(empty.json["continuationToken"].string?.isEmpty == false)
            #expect(first.json["events"].array.count == 1_000)
            #expect(second.json["events"].array.count == 500)
            #expect(waiting.json["events"].array.isEmpty)
            #expect(waiting.json["continuationToken"].string?.isEmpty == false)
            #expect(last.json["events"].array.isEmpty)
            #expect(last.json["continuationToken"].isNull || !last.json["continuationToken"].exists)
            for text in [token, tail] {
                #expect(text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) })
            }
            #expect(try await read(update, "?continuationToken=x").status == 400)
        }
    }

    @Test("88: a page that ends exactly at the last event is the last one", arguments: [1_000, 1_001])
    func exactPage(count: Int) async throws {
        try await withUpdate(.sqlite) { _, update in
            _ = try await update.events((0..<count).map(Save.event))
            _ = try await update.complete()

            #expect(try await sequences(update) == Array(0..<count))
        }
    }

    @Test("88: come once each, page by page, however their batches overlap", arguments: Engine.available)
    func overlaps(engine: Engine) async throws {
        try await withUpdate(engine) { _, update in
            let evens = stride(from: 0, to: 3_000, by: 2)
            let odds = stride(from: 1, to: 3_000, by: 2)
            for batch in [Array(odds), [5, 2_999, 3_000], Array(evens), [0], [4], [1_500, 1_501]] {
                _ = try await update.events(batch.map(Save.event))
            }
            for one in 3_001..<3_060 { _ = try await update.events([Save.event(one)]) }
            _ = try await update.complete()

            #expect(try await sequences(update) == Array(0..<3_060))
        }
    }

    @Test("88: a page needs no batch behind those it shows", arguments: Engine.available)
    func readsOnlyItsOwn(engine: Engine) async throws {
        try await withStackServer(engine) { server, objects in
            try await server.createStack("acme/site/dev")
            let update = try await server.update()
            _ = try await update.events((0..<1_200).map(Save.event))
            let first = try await objects.events()
            _ = try await update.events((1_200..<2_400).map(Save.event))
            for object in try await objects.events() where !first.contains(object) {
                try await objects.delete([object.key])
            }

            let shown = try await read(update)
            let token = try #require(shown.json["continuationToken"].string)
            let next = try await read(update, "?continuationToken=\(token)")

            #expect(shown.json["events"].array.count == 1_000)
            #expect(next.status >= 500)
        }
    }

    @Test("89: are kept with what nobody knows yet", arguments: Engine.available)
    func keepsUnknown(engine: Engine) async throws {
        let event = """
            {"sequence":0,"timestamp":5,"laterEvent":{"severity":"worse","n":1.10,"deep":[null]},"z":"\\u003c"}
            """
        let diagnostic = #"{"sequence":1,"timestamp":5,"diagnosticEvent":{"message":"","severity":"unheard of"}}"#
        try await withUpdate(engine) { _, update in
            let added = try await update.events([event, diagnostic])

            let text = try await read(update).text

            #expect(added.status == 204)
            #expect(text.contains(String(event.dropFirst())))
            #expect(text.contains(String(diagnostic.dropFirst())))
        }
    }

    @Test("92: are taken for a while after the end, and then no more", arguments: ["succeeded", "failed", "cancelled"])
    func comesLate(end: String) async throws {
        try await withUpdate(.sqlite) { server, update in
            _ = end == "cancelled" ? try await update.cancel() : try await update.complete(end)

            let soon = try await update.events([Save.event(0)])
            server.clock.advance(by: .seconds(601))
            let late = try await update.events([Save.event(1)])

            #expect(soon.status == 204)
            #expect(late.status == 409)
            #expect(try await sequences(update) == [0])
        }
    }

    @Test(
        "that are none are refused with the reason",
        arguments: [
            (#"{"events":5}"#, "events"), (#"{"events":[5]}"#, "events[0]"),
            (#"{"events":[{"timestamp":5}]}"#, "events[0].sequence"),
            (#"{"events":[{"sequence":0},{"sequence":"1"}]}"#, "events[1].sequence"),
            (#"{"events":[{"sequence":-1}]}"#, "events[0].sequence"), ("[]", ""), ("5", ""), ("{", ""), ("", ""),
        ]
    )
    func refuses(body: String, reason: String) async throws {
        try await withUpdate(.sqlite) { _, update in
            let reply = try await update.send("POST", "/events/batch", body)

            #expect(reply.status == 400, "\(reply)")
            #expect(reply.message?.contains(reason) == true, "\(reply)")
            #expect(try await sequences(update) == [])
        }
    }

    @Test("may be none at all", arguments: ["{}", #"{"events":null}"#, #"{"events":[]}"#])
    func takesNone(body: String) async throws {
        try await withUpdate(.sqlite) { _, update in
            let reply = try await update.send("POST", "/events/batch", body)

            #expect(reply.status == 204)
        }
    }

    @Test("are at most ten thousand a batch", arguments: [(10_000, 204), (10_001, 413)])
    func limits(count: Int, status: Int) async throws {
        try await withUpdate(.sqlite) { _, update in
            let events = (0..<count).map { #"{"sequence":\#($0)}"# }

            let reply = try await update.events(events)

            #expect(reply.status == status)
            if status == 413 { #expect(reply.json["code"].int == 413) }
        }
    }

    @Test("come one by one from old clients, among the others", arguments: Engine.available)
    func single(engine: Engine) async throws {
        try await withUpdate(engine) { _, update in
            _ = try await update.events([Save.event(1)])

            let added = try await update.send("POST", "/events", Save.event(0))

            #expect(added.status == 204)
            #expect(try await sequences(update) == [0, 1])
        }
    }

    private func read(_ update: TestUpdate, _ query: String = "") async throws -> TestReply {
        let headers = [("Accept", "application/vnd.pulumi+9")]
        var request = TestRequest("GET", "\(update.path)/events\(query)")
        for (name, value) in headers { request.headers.append(name, value) }
        return try await update.server.send(request)
    }

    /// The numbers of all events, page by page, until no token comes or none is new.
    private func sequences(_ update: TestUpdate) async throws -> [Int] {
        var numbers: [Int] = []
        var query = ""
        while true {
            let page = try await read(update, query)
            let events = page.json["events"].array.compactMap { $0["sequence"].int }
            numbers += events
            guard let token = page.json["continuationToken"].string, !events.isEmpty else { return numbers }
            query = "?continuationToken=\(token)"
        }
    }

    private func withUpdate(_ engine: Engine, _ body: (TestServer, TestUpdate) async throws -> Void) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await body(server, try await server.update())
        }
    }
}
