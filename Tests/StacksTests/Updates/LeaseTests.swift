import APITestKit
import TestKit
import Testing

@Suite("Leases of updates")
struct LeaseTests {
    @Test(
        "54: are renewed for up to five minutes, and every token of an update stays good",
        arguments: Engine.available
    )
    func renews(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let update = try await server.update()
            server.clock.advance(by: .seconds(150))

            let renewed = try await update.renew()
            let token = try #require(renewed.json["token"].string)
            let refusals = [try await update.renew(0), try await update.renew(-1), try await update.renew(301)]
            for holder in [update.holder, .updateToken(token)] {
                #expect(try await update.send("PATCH", "/checkpoint", Save.plain([]), as: holder).status == 204)
                let events = Save.events([Save.event(0)])
                #expect(try await update.send("POST", "/events/batch", events, as: holder).status == 204)
            }
            let ended = try await update.send("POST", "/complete", #"{"status":"succeeded"}"#, as: .updateToken(token))

            #expect(renewed.status == 200)
            #expect(!token.isEmpty)
            #expect(renewed.json["tokenExpiration"].int == 1_893_456_450)
            #expect(refusals.map(\.status) == [400, 400, 400])
            #expect(ended.status == 204)
        }
    }

    @Test("54: also of an update with a journal", arguments: Engine.available)
    func renewsJournal(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let update = try await server.update(journal: 2)
            let token = try #require(try await update.renew().json["token"].string)

            let old = try await update.journal([Journal.provider])
            let new = try await update.send(
                "PATCH",
                "/journalentries",
                Save.journal(Journal.create(2, 1, "A")),
                as: .updateToken(token)
            )

            #expect(old.status == 204)
            #expect(new.status == 204)
            #expect(try await server.resources() == ["A@1"])
        }
    }

    @Test("seen 13: last for hours when they are renewed", arguments: Engine.available)
    func lastsForHours(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let update = try await server.update()

            for _ in 0..<60 {
                server.clock.advance(by: .seconds(187))
                #expect(try await update.renew().status == 200)
            }

            #expect(try await update.save([Journal.resource("A", 1)]).status == 204)
            #expect(try await update.complete().status == 204)
            #expect(try await server.resources() == ["A@1"])
        }
    }

    @Test("55: are no other update's, and no person's credential is one", arguments: Engine.available)
    func belongsToOne(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.createStack("acme/site/prod")
            let update = try await server.update()
            let other = try await server.update(of: "acme/site/prod")
            let preview = try await server.update("preview")

            let callers: [TestCaller] = [
                other.holder, preview.holder, .dev, .stranger, .updateToken("x"), .updateToken(""),
                TestCaller(authorization: "update-token a b"),
            ]
            for caller in callers {
                for reply in try await everyWrite(of: update, as: caller) {
                    #expect(reply.status == 403)
                    #expect(reply.json["code"].int == 403)
                }
            }

            #expect(try await server.resources() == [])
            #expect(try await update.complete().status == 204)
        }
    }

    @Test("of one stack's update open no path of another stack", arguments: Engine.available)
    func belongsToStack(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.createStack("acme/site/prod")
            let update = try await server.update()
            let astray = TestUpdate(
                server: server,
                stack: "acme/site/prod",
                id: update.id,
                holder: update.holder,
                started: update.started
            )

            for reply in try await everyWrite(of: astray, as: update.holder) {
                #expect(reply.status == 404)
                #expect(reply.message == "Not Found: Update '\(update.id)' not found")
            }
            for tail in ["", "/events"] {
                #expect(try await astray.send("GET", tail, as: .dev).status == 404)
            }
            #expect(try await astray.cancel().status == 404)
            #expect(try await server.currentOperation() == "update")
        }
    }

    @Test("57: may be renewed late as long as nobody else came", arguments: [310, 360, 3600])
    func renewsLate(seconds: Int) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")
            let update = try await server.update()
            server.clock.advance(by: .seconds(seconds))

            let renewed = try await update.renew()
            let saved = try await update.save([Journal.resource("A", 1)])

            #expect(renewed.status == 200)
            #expect(saved.status == 204)
            #expect(try await update.complete().status == 204)
            #expect(try await server.history() == ["update succeeded 1"])
        }
    }

    @Test(
        "56: that are over long enough give way to the next update, which finds everything saved",
        arguments: Engine.available,
        [false, true]
    )
    func expires(engine: Engine, hasJournal: Bool) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let lost = try await server.update(journal: hasJournal ? 2 : nil)
            let saved =
                hasJournal
                ? try await lost.journal([Journal.provider] + Journal.create(2, 1, "A"))
                : try await lost.save([Journal.resource("A", 1)])
            let next = try await server.make(of: "acme/site/dev")

            server.clock.advance(by: .seconds(301))
            let tooEarly = try await server.start(next, of: "acme/site/dev")
            server.clock.advance(by: .seconds(60))
            let started = try await server.start(next, of: "acme/site/dev")

            #expect(saved.status == 204)
            #expect(tooEarly.status == 409)
            #expect(started.status == 200)
            #expect(started.json["version"].int == 2)
            #expect(try await lost.renew().status == 403)
            for reply in [
                try await lost.save([]), try await lost.journal([Journal.entry(9, kind: 0, 9)]),
                try await lost.complete(),
            ] {
                #expect(reply.status == 409)
                #expect(reply.message == "The Update has already timed out")
            }
            #expect(try await server.resources() == ["A@1"])
            #expect(try await server.history() == ["update in-progress 2", "update failed 1"])
        }
    }

    @Test("58: have one winner when a late renewal meets another start", arguments: Engine.available)
    func hasOneWinner(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            for round in 0..<rounds(engine) {
                let old = try await server.update()
                let next = try await server.make(of: "acme/site/dev")
                server.clock.advance(by: .seconds(361))

                // A refused renewal may meet the events of the start that won.
                var request = TestRequest("POST", "\(old.path)/renew_lease", json: #"{"token":"","duration":300}"#)
                request.mayBeAuditedWhenRefused = true
                let renew = request
                async let renewal = server.send(renew, as: old.holder)
                async let start = server.start(next, of: "acme/site/dev")
                let (renewed, started) = (try await renewal, try await start)

                let outcome = [renewed.status, started.status]
                #expect([[200, 409], [403, 200]].contains(outcome), "round \(round): \(outcome)")
                let winner = outcome == [200, 409] ? old.id : next
                let path = "/api/stacks/acme/site/dev/update/\(winner)/cancel"
                #expect(try await server.send("POST", path).status == 204)
            }
        }
    }

    /// A thousand where a round takes milliseconds, and everywhere in the long form.
    private func rounds(_ engine: Engine) -> Int {
        engine == .sqlite || isLong ? 1_000 : 50
    }

    /// What only the holder may do, sent by somebody.
    private func everyWrite(of update: TestUpdate, as caller: TestCaller) async throws -> [TestReply] {
        let hash = String(repeating: "0", count: 64)
        return [
            try await update.send("PATCH", "/checkpoint", Save.plain([]), as: caller),
            try await update.send("PATCH", "/checkpointverbatim", Save.verbatim("{}", 1), as: caller),
            try await update.send("PATCH", "/checkpointdelta", Save.delta("[]", 1, hash: hash), as: caller),
            try await update.send("PATCH", "/journalentries", Save.journal([]), as: caller),
            try await update.send("POST", "/events/batch", Save.events([Save.event(0)]), as: caller),
            try await update.send("POST", "/events", Save.event(0), as: caller),
            try await update.send("POST", "/log", #"{"kind":"stdout","fields":{}}"#, as: caller),
            try await update.send("POST", "/renew_lease", #"{"token":"","duration":300}"#, as: caller),
            try await update.send("POST", "/complete", #"{"status":"succeeded"}"#, as: caller),
        ]
    }
}
