import APITestKit
import Crypto
import TestKit
import Testing

/// Whatever write of the server fails, the client sends the same bytes again and ends where it would have ended.
@Suite("Writes that fail")
struct FailedWriteTests {
    @Test(
        "63: change nothing that a repeated request does not put right",
        arguments: Engine.available,
        FailingDatabase.Failure.allCases
    )
    func eachWrite(engine: Engine, failure: FailingDatabase.Failure) async throws {
        let plan = FailingDatabase.Plan()
        try await withStackServer(engine, failing: plan) { server in
            let expected = try await life(of: "acme/site/whole", server, plan)
            var failures = 0
            while failures < 100 {
                plan.arm(after: failures, failure)
                let result = try await life(of: "acme/site/s\(failures)", server, plan)
                #expect(result == expected, "the failure of write \(failures) shows")
                if plan.isUnmet { break }
                failures += 1
            }

            // Each of the eleven requests writes at least once.
            #expect((11..<100).contains(failures))
        }
    }

    /// What a client does to a stack, and what is left of it in the end.
    private func life(
        of stack: String,
        _ server: TestServer,
        _ plan: FailingDatabase.Plan
    ) async throws -> [String] {
        let text = TestServer.state([Journal.resource("A", 2), Journal.resource("C", 1)])
        let hash = SHA256.hash(Array(text.replacing("C", with: "D").utf8)).hex
        let offset = try #require(text.utf8.firstIndex(of: UInt8(ascii: "C"))).utf16Offset(in: text)
        let point = #"{"line":1,"column":1,"offset":"#
        let edits = """
            [{"Span":{"uri":"","start":\(point)\(offset)},"end":\(point)\(offset + 1)}},"NewText":"D"}]
            """
        try await server.createStack(stack)

        let journaled = try await server.update(of: stack, journal: 2)
        try await plan.counting {
            let first = Save.journal([Journal.provider] + Journal.create(2, 1, "A"))
            try await repeating("PATCH", "/journalentries", first, of: journaled)
            try await repeating("PATCH", "/journalentries", Save.journal(Journal.create(4, 2, "B")), of: journaled)
            try await repeating("POST", "/events/batch", Save.events((0..<3).map { Save.event($0) }), of: journaled)
            try await repeating("POST", "/renew_lease", #"{"token":"","duration":300}"#, of: journaled)
            try await repeating("POST", "/complete", #"{"status":"succeeded"}"#, of: journaled)
        }
        let saved = try await server.update(of: stack)
        try await plan.counting {
            try await repeating("PATCH", "/checkpoint", Save.plain([]), of: saved)
            try await repeating("PATCH", "/checkpointverbatim", Save.verbatim(text, 1), of: saved)
            try await repeating("PATCH", "/checkpointdelta", Save.delta(edits, 2, hash: hash), of: saved)
            try await repeating("POST", "/complete", #"{"status":"failed"}"#, of: saved)
        }
        let cancelled = try await server.update(of: stack)
        try await plan.counting {
            try await repeating("POST", "/cancel", nil, of: cancelled, as: .dev)
            let plain = #"{"plaintext":"AA=="}"#
            try await repeating("POST", "/encrypt", plain, at: "/api/stacks/\(stack)", server, as: .dev)
        }

        let events = try await journaled.send("GET", "/events", as: .dev).json["events"].array
        return try await server.resources(stack, version: 1) + server.resources(stack) + server.history(of: stack)
            + events.map { "event \($0["sequence"].int ?? -1)" }
    }

    private func repeating(
        _ method: String,
        _ tail: String,
        _ json: String?,
        of update: TestUpdate,
        as caller: TestCaller? = nil
    ) async throws {
        try await repeating(method, tail, json, at: update.path, update.server, as: caller ?? update.holder)
    }

    /// Sends the request, and again while the answer is one that clients take for a failure of the server.
    private func repeating(
        _ method: String,
        _ tail: String,
        _ json: String?,
        at path: String,
        _ server: TestServer,
        as caller: TestCaller
    ) async throws {
        var request = json.map { TestRequest(method, path + tail, json: $0) } ?? TestRequest(method, path + tail)
        // A write whose answer was lost left its event, and its repetition leaves none.
        request.mustBeAudited = false
        request.mayBeAuditedWhenRefused = true
        var statuses: [Int] = []
        for _ in 0..<4 where statuses.last.map({ $0 >= 500 }) ?? true {
            statuses.append(try await server.send(request, as: caller).status)
        }
        #expect(statuses.last.map { (200..<300).contains($0) } == true, "\(method) \(path)\(tail): \(statuses)")
    }
}
