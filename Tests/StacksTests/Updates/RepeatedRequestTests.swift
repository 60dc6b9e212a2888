import APITestKit
import Crypto
import TestKit
import Testing

/// Clients send the identical bytes again when an answer was lost (`spec/cli-protocol.md` §1.6).
@Suite("Requests that are repeated after they were answered")
struct RepeatedRequestTests {
    @Test("63, seen 7: get the same answer and change nothing: saves of each form", arguments: Engine.available)
    func saves(engine: Engine) async throws {
        let text = TestServer.state([Journal.resource("A", 1)])
        let hash = SHA256.hash(Array(text.replacing("A", with: "B").utf8)).hex
        let offset = try #require(text.utf8.firstIndex(of: UInt8(ascii: "A"))).utf16Offset(in: text)
        let point = #"{"line":1,"column":1,"offset":"#
        let edits = """
            [{"Span":{"uri":"","start":\(point)\(offset)},"end":\(point)\(offset + 1)}},"NewText":"B"}]
            """
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let update = try await server.update()

            for body in [("/checkpoint", Save.plain([])), ("/checkpoint", #"{"isInvalid":true,"version":3}"#)] {
                try await sendTwice(update, body.0, body.1)
            }
            try await sendTwice(update, "/checkpointverbatim", Save.verbatim(text, 5))
            try await sendTwice(update, "/checkpointdelta", Save.delta(edits, 6, hash: hash))
            let late = try await update.save(verbatim: text, 5)
            _ = try await update.complete()
            _ = try await update.complete(isRepeated: true)

            #expect(late.status == 204)
            #expect(try await server.resources() == ["B@1"])
            #expect(try await server.history() == ["update succeeded 1"])
        }
    }

    @Test("63: get the same answer and change nothing: journal, events, lease and end", arguments: Engine.available)
    func journal(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let update = try await server.update(journal: 2)

            try await sendTwice(update, "/journalentries", Save.journal([Journal.provider]))
            try await sendTwice(update, "/journalentries", Save.journal(Journal.create(2, 1, "A")))
            try await sendTwice(update, "/journalentries", Save.journal([]))
            for (tail, body) in [("/events/batch", Save.events([Save.event(0)])), ("/events", Save.event(1))] {
                for _ in 0..<2 { #expect(try await update.send("POST", tail, body).status == 204) }
            }
            let renewals = [try await update.renew(), try await update.renew()]
            let before = try await server.export()
            let ends = [try await update.complete("failed"), try await update.complete("failed", isRepeated: true)]
            let cancelled = try await server.update()
            let cancellations = [try await cancelled.cancel(), try await cancelled.cancel(isRepeated: true)]

            #expect(renewals.map(\.text) == [renewals[0].text, renewals[0].text])
            #expect(ends.map(\.status) == [204, 204])
            #expect(cancellations.map(\.status) == [204, 204])
            #expect(try await server.export().text == before.text)
            #expect(try await server.history() == ["update failed 2", "update failed 1"])
            let events = try await update.send("GET", "/events", as: .dev)
            #expect(events.json["events"].array.map { $0["sequence"].int } == [0, 1])
        }
    }

    @Test("that clients do not repeat are refused or done anew, and lose nothing", arguments: Engine.available)
    func unrepeated(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            let path = "/api/stacks/acme/site/dev"
            let create = { try await server.send("POST", "/api/stacks/acme/site", json: #"{"stackName":"dev"}"#) }
            let creations = [try await create(), try await create()]
            let imports = [
                try await server.send("POST", "\(path)/import", json: TestServer.state([])),
                try await server.send("POST", "\(path)/import", json: TestServer.state([])),
            ]
            let id = try await server.make(of: "acme/site/dev")
            let starts = [
                try await server.start(id, of: "acme/site/dev"), try await server.start(id, of: "acme/site/dev"),
            ]
            _ = try await server.send("POST", "\(path)/update/\(id)/cancel")
            let rename = { try await server.send("POST", "\(path)/rename", json: #"{"newName":"prod"}"#) }
            let renames = [try await rename(), try await rename()]
            let delete = { try await server.send("DELETE", "/api/stacks/acme/site/prod?force=true") }
            let deletions = [try await delete(), try await delete()]

            #expect(creations.map(\.status) == [200, 409])
            #expect(imports.map(\.status) == [200, 200])
            #expect(starts.map(\.status) == [200, 409])
            #expect(renames.map(\.status) == [200, 404])
            #expect(deletions.map(\.status) == [204, 404])
        }
    }

    @Test("that encrypt give ciphertexts that are all good", arguments: Engine.available)
    func encrypts(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let path = "/api/stacks/acme/site/dev"

            for _ in 0..<2 {
                let reply = try await server.send("POST", "\(path)/encrypt", json: #"{"plaintext":"AA=="}"#)
                let opened = try await server.send("POST", "\(path)/decrypt", json: reply.text)
                let again = try await server.send("POST", "\(path)/decrypt", json: reply.text)
                #expect(opened.json["plaintext"].string == "AA==")
                #expect(again.text == opened.text)
            }
        }
    }

    private func sendTwice(_ update: TestUpdate, _ tail: String, _ body: String) async throws {
        let first = try await update.send("PATCH", tail, body)
        let state = try await update.server.export().text
        let second = try await update.send("PATCH", tail, body)

        #expect(first.status == 204, "\(tail): \(first)")
        #expect(second.status == 204, "\(tail): \(second)")
        #expect(try await update.server.export().text == state, "\(tail)")
    }
}
