import APITestKit
import Crypto
import HTTPAPI
import HTTPServer
import Testing
import TestKit

@Suite("Journals of running updates")
struct JournalTests {
    @Test("75: the same number with other content is refused and replaces nothing", arguments: Engine.available)
    func conflicts(engine: Engine) async throws {
        try await withJournal(engine) { server, update in
            _ = try await update.journal([Journal.provider] + Journal.create(2, 1, "A"))
            let other = Journal.entry(3, kind: 1, 1, state: Journal.resource("B", 1))

            let alone = try await update.journal([other])
            let mixed = try await update.journal([other, Journal.entry(4, kind: 0, 2)])
            let twice = try await update.journal([Journal.entry(7, kind: 0, 3), Journal.entry(7, kind: 0, 4)])

            for reply in [alone, mixed, twice] { #expect(reply.status == 409, "\(reply)") }
            #expect(alone.message == "Conflict: journal entry 3 was sent before with other content")
            #expect(try await server.resources() == ["A@1"])
            #expect(try await update.complete().status == 204)
            #expect(try await server.resources() == ["A@1"])
        }
    }

    @Test("75: entries that were there before come again in other batches", arguments: Engine.available)
    func splitsAgain(engine: Engine) async throws {
        try await withJournal(engine) { server, update in
            let entries = [Journal.provider] + Journal.create(2, 1, "A") + Journal.create(4, 2, "B")
            let replies = [
                try await update.journal(Array(entries[0..<3])), try await update.journal(Array(entries[1..<5])),
                try await update.journal(entries), try await update.journal([entries[4]]),
            ]

            #expect(replies.map(\.status) == [204, 204, 204, 204])
            #expect(try await server.resources() == ["A@1", "B@1"])
        }
    }

    @Test(
        "77, seen 2: what is no entry is refused by name, and its batch with it",
        arguments: [
            (Journal.entry(4, kind: 42, 2), "42"), (Journal.entry(4, kind: -1, 2), "-1"),
            (Journal.entry(4, kind: 0, 2).replacing(#""version":1"#, with: #""version":3"#), "version"),
            (Journal.entry(4, kind: 10, 2), "10"), (Journal.entry(0, kind: 0, 2), "sequenceID"),
            (Journal.entry(4, kind: 1, 2, state: "5"), "state"), ("5", ""), (#"{"version":1}"#, ""),
        ]
    )
    func refuses(entry: String, reason: String) async throws {
        try await withJournal(.sqlite) { server, update in
            _ = try await update.journal([Journal.provider] + Journal.create(2, 1, "A"))

            let refused = try await update.journal(Journal.create(6, 3, "B") + [entry])
            let ended = try await update.complete("failed")

            #expect(refused.status == 400, "\(refused)")
            #expect(refused.message?.contains(reason) == true, "\(refused)")
            #expect(ended.status == 204)
            #expect(try await server.resources() == ["A@1"])
        }
    }

    @Test(
        "bodies that are no batch are refused",
        arguments: ["", "[]", "5", "{", #"{"entries":5}"#, #"{"entries":[]}x"#]
    )
    func refusesBodies(body: String) async throws {
        try await withJournal(.sqlite) { server, update in
            let reply = try await update.send("PATCH", "/journalentries", body)

            #expect(reply.status == 400, "\(reply)")
            #expect(reply.message?.isEmpty == false)
        }
    }

    @Test(
        "78: whatever ends the update, what was acknowledged is in the state",
        arguments: Engine.available,
        Ending.allCases
    )
    func materialises(engine: Engine, ending: Ending) async throws {
        try await withJournal(engine) { server, update in
            let begun = Journal.entry(4, kind: 0, 2, Journal.pending("creating", "A"))
            _ = try await update.journal([Journal.provider] + Journal.create(2, 1, "S") + [begun])

            switch ending {
            case .failure: _ = try await update.complete("failed")
            case .cancellation: _ = try await update.cancel()
            case .expiry:
                server.clock.advance(by: .seconds(361))
                _ = try await server.update()
            }

            #expect(try await server.resources(version: 1) == ["S@1", "creating A"])
        }
    }

    @Test("79 to 82: keep pending operations, features and manifest as they must be", arguments: Engine.available)
    func envelope(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let agent = "pulumi-cli/1 (v3.259.0; linux)"
            let id = try await server.make(of: "acme/site/dev")
            let path = "/api/stacks/acme/site/dev/update/\(id)"
            let started = try await server.send(
                "POST",
                path,
                json: #"{"journalVersion":2}"#,
                headers: ["User-Agent": agent]
            )
            let holder = TestCaller.updateToken(started.json["token"].string ?? "")
            let update = TestUpdate(
                server: server,
                stack: "acme/site/dev",
                id: id,
                holder: holder,
                started: started.json
            )
            let snippets = #""snippets":[{"uuid":"u","name":"n","type":"t","code":"c"}]"#

            _ = try await update.journal(
                [Journal.provider] + Journal.create(2, 1, "A") + [Journal.entry(4, kind: 0, 2)]
                    + [Journal.entry(5, kind: 9, 0, snippets), Journal.entry(6, kind: 9, 0)]
                    + [Journal.entry(7, kind: 0, 3, #""requiresByteString":true"#)]
            )
            let state = try await server.export().json

            #expect(state["deployment"]["pending_operations"].array.isEmpty)
            #expect(!state["deployment"]["snippets"].exists)
            #expect(state["version"].int == 4)
            #expect(state["features"].array.map(\.string) == ["byteString"])
            #expect(state["deployment"]["manifest"]["version"].string == "v3.259.0")
            #expect(state["deployment"]["manifest"]["magic"].string == SHA256.hash("v3.259.0").hex)
        }
    }

    @Test("79: a begin without operation leaves no pending operation", arguments: Engine.available)
    func beginsNothing(engine: Engine) async throws {
        try await withJournal(engine) { server, update in
            _ = try await update.journal([Journal.provider, Journal.entry(2, kind: 0, 1)])
            _ = try await update.complete("failed")

            #expect(try await server.resources() == [])
        }
    }

    @Test("82, 23.4: the magic of the manifest is the hash of its version")
    func magic() {
        #expect(SHA256.hash("v3.259.0").hex == "ab35920a3077459b09dd1a3f7ddc28df4e3efc81b3240013bb6906688abc684d")
    }

    @Test(
        "keep what nobody knows yet: members of entries are passed over, those of resources stay",
        arguments: Engine.available
    )
    func keepsUnknown(engine: Engine) async throws {
        let state = Journal.resource("A", 1, #""later":{"n":1.10,"deep":[null]}"#)
        try await withJournal(engine) { server, update in
            let entry = Journal.entry(2, kind: 1, 1, state: state, #""fromTheFuture":{"x":[1e400]}"#)

            let saved = try await update.journal([Journal.provider, entry])

            #expect(saved.status == 204)
            #expect(try await server.export().text.contains(state))
        }
    }

    @Test("give the same bytes whenever they are read", arguments: Engine.available)
    func isDeterministic(engine: Engine) async throws {
        try await withJournal(engine) { server, update in
            let begun = (0..<8).map { Journal.entry($0 + 4, kind: 0, $0 + 2, Journal.pending("creating", "p\($0)")) }
            _ = try await update.journal([Journal.provider] + Journal.create(2, 1, "A") + begun.reversed())

            let first = try await server.export()
            server.clock.advance(by: .seconds(60))
            let second = try await server.export()
            _ = try await update.complete("failed")

            #expect(second.text == first.text)
            #expect(try await server.export().text == first.text)
        }
    }

    @Test("83: that say nothing leave the resources as they are", arguments: Engine.available)
    func changesNothing(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.importState([Journal.resource("A", 1)], into: "acme/site/dev")
            let update = try await server.update(journal: 2)
            let before = try await server.export()

            _ = try await update.journal([Journal.provider])
            _ = try await update.complete()

            let after = try await server.export().json["deployment"]
            #expect(after["resources"] == before.json["deployment"]["resources"])
            #expect(after["secrets_providers"]["type"].string == "passphrase")
            #expect(try await server.version() == 2)
        }
    }

    @Test(
        "84: that point to nothing end their update with an error, and the state stays",
        arguments: Engine.available,
        [#""deleteNew":77"#, #""deleteOld":5"#, #""pendingReplacementOld":5"#]
    )
    func pointsNowhere(engine: Engine, pointer: String) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.importState([Journal.resource("A", 1)], into: "acme/site/dev")
            let update = try await server.update(journal: 2)
            let bad = Journal.entry(2, kind: 1, 1, state: Journal.resource("B", 1), pointer)

            let saved = try await update.journal([Journal.provider, bad])
            var completion = TestRequest("POST", "\(update.path)/complete", json: #"{"status":"succeeded"}"#)
            completion.mayBeAuditedWhenRefused = true
            let ended = try await server.send(completion, as: update.holder)

            #expect(!saved.isSuccess || !ended.isSuccess, "\(saved), \(ended)")
            #expect(try await server.resources() == ["A@1"])
            #expect(try await server.currentOperation() == nil)
            #expect(try await server.history().first?.hasPrefix("update failed") == true)
            #expect(try await server.update().started["version"].int == 3)
        }
    }

    @Test("85: of many entries over a large state end in time", .timeLimit(.minutes(10)))
    func isFast() async throws {
        // The long form is the assertion's own size.
        let scale = isLong ? 10 : 1
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")
            let base = (0..<1_000 * scale).map { Journal.resource("base\($0)", 1) }
            try await server.importState(base, into: "acme/site/dev")
            let update = try await server.update(journal: 2)

            for batch in 0..<10 * scale {
                let entries = (0..<500).flatMap { index in
                    let number = batch * 500 + index
                    return Journal.create(number * 2 + 1, number + 1, "new\(number)")
                }
                #expect(try await update.journal(entries).status == 204)
            }

            #expect(try await update.complete().status == 204)
            #expect(try await server.resources().count == 6_000 * scale)
        }
    }

    @Test("86: put dependents behind what they depend on", arguments: Engine.available)
    func keepsOrder(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.importState(
                [Journal.resource("a"), Journal.resource("b", 0, #""dependencies":["a"]"#)],
                into: "acme/site/dev"
            )
            let update = try await server.update(journal: 2)

            _ = try await update.journal([
                Journal.entry(1, kind: 0, 1),
                Journal.entry(2, kind: 1, 1, old: 0, state: Journal.resource("a", 1)),
            ])

            #expect(try await server.resources() == ["a@1", "b<-a"])
        }
    }

    @Test("76: of a batch of 100 MB are refused with 413, and the halves of it are taken", .timeLimit(.minutes(15)))
    func tooLarge() async throws {
        try await withJournal(.sqlite) { server, update in
            let outputs = String(repeating: "x", count: 1_000_000)
            let entries = (0..<100).flatMap { index in
                [
                    Journal.entry(2 * index + 2, kind: 0, index + 1),
                    Journal.entry(
                        2 * index + 3,
                        kind: 1,
                        index + 1,
                        state: Journal.resource("r\(index)", 0, #""outputs":{"x":"\#(outputs)"}"#)
                    ),
                ]
            }
            var parts = [ArraySlice([Journal.provider] + entries)]
            var refusals = 0
            var taken = 0

            while let part = parts.popLast() {
                let reply = try await update.journal(Array(part))
                if reply.status == 413, reply.json["code"].int == 413, part.count > 1 {
                    refusals += 1
                    let middle = part.startIndex + part.count / 2
                    parts += [part[middle...], part[..<middle]]
                } else {
                    #expect(reply.status == 204, "\(reply)")
                    taken += part.count
                }
            }

            #expect(refusals <= 3)
            #expect(taken == 201)
            #expect(try await update.complete().status == 204)
            let history = try await server.send("GET", "/api/stacks/acme/site/dev/updates")
            #expect(history.json["updates"][0]["resourceCount"].int == 100)
            #expect(try await server.export().body.count > 100_000_000)
        }
    }

    @Test("beyond the limit are refused with 413 whatever they hold")
    func beyondLimit() async throws {
        try await withJournal(.sqlite) { server, update in
            let route = try #require(server.route(of: TestRequest("PATCH", "\(update.path)/journalentries")))
            var request = TestRequest("PATCH", "\(update.path)/journalentries", body: [])
            request.body = [UInt8](repeating: 0x20, count: route.limits.received + 1)

            let refused = try await server.send(request, as: update.holder)

            #expect(refused.status == 413)
            #expect(refused.json["code"].int == 413)
        }
    }

    enum Ending: CaseIterable, Sendable { case failure, cancellation, expiry }

    private func withJournal(_ engine: Engine, _ body: (TestServer, TestUpdate) async throws -> Void) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await body(server, try await server.update(journal: 2))
        }
    }
}
