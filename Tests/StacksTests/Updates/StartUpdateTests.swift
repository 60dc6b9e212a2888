import APITestKit
import TestKit
import Testing

@Suite("Starting an update")
struct StartUpdateTests {
    @Test("47: gives the next version, and every kind of path leads to it", arguments: Engine.available)
    func starts(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            let update = try await server.update()
            let running = try await server.send("GET", "/api/stacks/acme/site/dev")
            for kind in ["refresh", "destroy", "update"] {
                let path = "/api/stacks/acme/site/dev/\(kind)/\(update.id)"
                let renewed = try await server.send(
                    "POST",
                    "\(path)/renew_lease",
                    json: #"{"token":"","duration":300}"#,
                    as: update.holder
                )
                let saved = try await server.send(
                    "PATCH",
                    "\(path)/checkpoint",
                    json: Save.plain([]),
                    as: update.holder
                )
                #expect(renewed.status == 200)
                #expect(saved.status == 204)
                #expect(try await server.send("GET", path).json["status"].string == "running")
            }
            let ended = try await server.send(
                "POST",
                "/api/stacks/acme/site/dev/destroy/\(update.id)/complete",
                json: #"{"status":"succeeded"}"#,
                as: update.holder
            )

            #expect(update.started["version"].int == 1)
            #expect(running.json["version"].int == 0)
            #expect(running.json["activeUpdate"].string == update.id)
            #expect(running.json["currentOperation"]["kind"].string == "update")
            #expect(running.json["currentOperation"]["author"].string == "dev")
            #expect(running.json["currentOperation"]["started"].int == 1_893_456_000)
            #expect(ended.status == 204)
            #expect(try await server.version() == 1)
            #expect(try await server.currentOperation() == nil)
        }
    }

    @Test("48: waits for the one that runs, and says who that is and since when", arguments: Engine.available)
    func isExclusive(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let first = try await server.make(of: "acme/site/dev", as: .mia)
            let second = try await server.make("destroy", of: "acme/site/dev")

            let started = try await server.start(first, of: "acme/site/dev", as: .mia)
            server.clock.advance(by: .seconds(100))
            let refused = try await server.start(second, of: "acme/site/dev")
            let token = try #require(started.json["token"].string)
            let running = TestUpdate(
                server: server,
                stack: "acme/site/dev",
                id: first,
                holder: .updateToken(token),
                started: started.json
            )
            #expect(try await running.complete().status == 204)
            let again = try await server.start(second, of: "acme/site/dev")

            #expect(refused.status == 409)
            #expect(refused.json["code"].int == 409)
            #expect(refused.message == Self.busy("mia", "update", first))
            #expect(again.status == 200)
            #expect(again.json["version"].int == 2)
        }
    }

    @Test("29: keeps the stack from being changed as a whole", arguments: Engine.available)
    func holdsStack(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let update = try await server.update()
            let path = "/api/stacks/acme/site/dev"

            let refusals = [
                try await server.send("DELETE", "\(path)?force=true"),
                try await server.send("DELETE", "\(path)?force=false"),
                try await server.send("POST", "\(path)/rename", json: #"{"newName":"prod"}"#),
                try await server.send("POST", "\(path)/import", json: TestServer.state([])),
                try await server.send("PUT", "\(path)/config", json: #"{"environment":"site/dev"}"#),
                try await server.send("DELETE", "\(path)/config"),
                try await server.send(
                    "POST",
                    "\(path)/begin-update",
                    json:
                        #"{"updateKind":"update","program":{"name":"site","runtime":"yaml","main":"","description":""}}"#
                ),
            ]

            for refusal in refusals {
                #expect(refusal.status == 409, "\(refusal)")
                #expect(refusal.message == Self.busy("dev", "update", update.id), "\(refusal)")
            }
            #expect(try await server.stackExists("acme/site/dev"))
            #expect(try await server.history() == ["update in-progress 1"])
            #expect(try await update.complete().status == 204)
        }
    }

    @Test("49: lets one of fifty have the stack", arguments: Engine.available)
    func oneWins(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            var ids: [String] = []
            for _ in 0..<50 { ids.append(try await server.make(of: "acme/site/dev")) }

            let all = ids
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for id in all { group.addTask { try await server.start(id, of: "acme/site/dev").status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            #expect(statuses.filter { $0 == 200 }.count == 1)
            #expect(statuses.filter { $0 == 409 }.count == 49)
        }
    }

    @Test(
        "50, seen 1: agrees on the journal version that both sides speak",
        arguments: [(nil, nil), (0, nil), (-1, nil), (1, 1), (2, 2), (3, 2), (7, 2)] as [(Int?, Int?)]
    )
    func negotiates(offered: Int?, agreed: Int?) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")

            let update = try await server.update(journal: offered)

            #expect(update.started["journalVersion"].int == agreed)
            #expect(update.started["tokenExpiration"].int == 1_893_456_300)
        }
    }

    @Test("51: replaces the tags when it brings some, and leaves them alone otherwise", arguments: Engine.available)
    func replacesTags(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev", tags: #"{"a":"1","pulumi:project":"site"}"#)
            let first = try await server.make(of: "acme/site/dev")
            let refused = try await server.start(first, of: "acme/site/dev", #"{"tags":{"a b":"x"}}"#)
            let kept = try await server.tags(of: "acme/site/dev")

            let started = try await server.start(
                first,
                of: "acme/site/dev",
                #"{"tags":{"b":"2","pulumi:project":"site"}}"#
            )
            let replaced = try await server.tags(of: "acme/site/dev")
            _ = try await server.send(
                "POST",
                "/api/stacks/acme/site/dev/update/\(first)/complete",
                json: #"{"status":"failed"}"#,
                as: .updateToken(started.json["token"].string ?? "")
            )
            _ = try await server.update()

            #expect(refused.status == 400)
            #expect(kept == ["a": "1", "pulumi:project": "site"])
            #expect(replaced == ["b": "2", "pulumi:project": "site"])
            #expect(try await server.tags(of: "acme/site/dev") == replaced)
        }
    }

    @Test("52: is refused for an unknown update, one of another stack, and a second time", arguments: Engine.available)
    func refuses(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.createStack("acme/site/prod")
            let id = try await server.make(of: "acme/site/dev")

            let unknown = try await server.start("0194b8a6-0000-7000-8000-000000000001", of: "acme/site/dev")
            let other = try await server.start(id, of: "acme/site/prod")
            let first = try await server.start(id, of: "acme/site/dev")
            let second = try await server.start(id, of: "acme/site/dev")

            #expect(unknown.status == 404)
            #expect(other.status == 404)
            #expect(first.status == 200)
            #expect(second.status == 409)
            #expect(second.message == "The Update has already started")
        }
    }

    @Test("53: comes before everything else that an update does", arguments: Engine.available)
    func comesFirst(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let id = try await server.make(of: "acme/site/dev")
            let update = TestUpdate(
                server: server,
                stack: "acme/site/dev",
                id: id,
                holder: .updateToken("guess"),
                started: JSONView(nil)
            )

            let replies = [
                try await update.renew(), try await update.save([]), try await update.journal([Journal.provider]),
                try await update.complete(), try await update.events([Save.event(0)]), try await update.cancel(),
            ]

            for reply in replies {
                #expect(reply.status == 409)
                #expect(reply.message == "The Update has not started")
            }
            #expect(try await update.send("GET", "", as: .dev).json["status"].string == "not started")
            #expect(try await server.start(id, of: "acme/site/dev").status == 200)
        }
    }

    /// The refusal that names who holds the stack; the clock of a test server stands at the start of 2030.
    static func busy(_ login: String, _ kind: String, _ id: String) -> String {
        """
        Conflict: Another update is currently in progress. '\(login)' started this \(kind) (\(id)) at \
        2030-01-01T00:00:00Z; wait for it, or end it with 'pulumi cancel'.
        """
    }
}
