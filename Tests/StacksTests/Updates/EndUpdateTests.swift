import APITestKit
import HTTPServer
import Kernel
import ObjectStorage
import Persistence
import Stacks
import Testing
import TestKit

@Suite("Ends of updates")
struct EndUpdateTests {
    @Test("60: are answered alike when they are repeated, and differ never", arguments: Engine.available)
    func completes(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let update = try await server.update()

            let unknown = [
                try await update.complete("done"), try await update.send("POST", "/complete", "{}"),
                try await update.send("POST", "/complete", #"{"status":null}"#),
            ]
            let first = try await update.complete()
            let repeated = try await update.complete(isRepeated: true)
            let other = try await update.complete("failed")

            #expect(unknown.map(\.status) == [400, 400, 400])
            #expect(unknown[0].message?.contains("status") == true)
            #expect(first.status == 204)
            #expect(repeated.status == 204)
            #expect(other.status == 409)
            #expect(other.message == "The Update has already completed")
            #expect(try await server.version() == 1)
            #expect(try await server.history() == ["update succeeded 1"])
            #expect(try await server.auditActions().filter { $0 == "stack-update-completed" }.count == 1)
        }
    }

    @Test("60: may be called cancelled, in both spellings", arguments: ["cancelled", "canceled"])
    func completesCancelled(status: String) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")
            let update = try await server.update()

            let first = try await update.complete(status)
            let repeated = try await update.complete(status, isRepeated: true)

            #expect(first.status == 204)
            #expect(repeated.status == 204)
            #expect(try await server.history() == ["update failed 1"])
        }
    }

    @Test(
        "61, seen 19: that are failures keep what was saved last, also after a refused save",
        arguments: Engine.available
    )
    func fails(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let update = try await server.update()

            let saves = [
                try await update.save([Journal.resource("A", 1)]), try await update.save([Journal.resource("A", 2)]),
                try await update.send("PATCH", "/checkpoint", #"{"version":3,"deployment":5}"#),
            ]
            let ended = try await update.complete("failed")

            #expect(saves.map(\.status) == [204, 204, 400])
            #expect(ended.status == 204)
            #expect(try await server.resources() == ["A@2"])
            #expect(try await server.resources(version: 1) == ["A@2"])
            #expect(try await server.version() == 1)
            #expect(try await server.history() == ["update failed 1"])
        }
    }

    @Test("59: by a cancellation free the stack at once, and the victim hears of it", arguments: Engine.available)
    func cancels(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let victim = try await server.update(journal: 2)
            _ = try await victim.journal([Journal.provider] + Journal.create(2, 1, "A"))

            let cancelled = try await victim.cancel(as: .mia)
            let next = try await server.update("destroy")
            let patch = try await victim.journal([Journal.entry(4, kind: 0, 2)])
            let renewal = try await victim.renew()
            let ended = try await victim.complete()
            let repeated = try await victim.cancel(isRepeated: true)

            #expect(cancelled.status == 204)
            #expect(next.started["version"].int == 2)
            #expect(renewal.status == 403)
            #expect(renewal.message == "The provided update token has expired")
            for reply in [patch, ended] {
                #expect(reply.status == 409)
                #expect(reply.message == "The Update has been cancelled")
            }
            #expect(repeated.status == 204)
            #expect(try await server.currentOperation() == "destroy")
            #expect(try await next.complete().status == 204)
            #expect(try await next.cancel().status == 409)
            #expect(try await server.history() == ["destroy succeeded 2", "update failed 1"])
        }
    }

    @Test("seen 10: by a cancellation refuse checkpoints as well", arguments: Engine.available)
    func cancelsPlain(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let victim = try await server.update()
            _ = try await victim.save(verbatim: TestServer.state([Journal.resource("A", 1)]), 1)
            _ = try await victim.cancel()

            let refusals = [
                try await victim.save([]), try await victim.save(verbatim: TestServer.state([]), 2),
                try await victim.save(delta: "[]", 2, hash: "00"), try await victim.complete("failed"),
            ]

            for reply in refusals {
                #expect(reply.status == 409)
                #expect(reply.message == "The Update has been cancelled")
            }
            #expect(try await server.resources() == ["A@1"])
        }
    }

    @Test("seen 11: leave the stack with the id of the last update", arguments: Engine.available)
    func keepsActiveUpdate(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let fresh = try await server.send("GET", "/api/stacks/acme/site/dev")
            let update = try await server.update()
            _ = try await update.complete()

            let stack = try await server.send("GET", "/api/stacks/acme/site/dev")
            let cancelled = try await update.cancel()

            #expect(fresh.json["activeUpdate"].string == "")
            #expect(stack.json["activeUpdate"].string == update.id)
            #expect(!stack.json["currentOperation"].exists || stack.json["currentOperation"].isNull)
            #expect(cancelled.status == 409)
            #expect(cancelled.message == "The Update has already completed")
        }
    }

    @Test("seen 12: by a cancellation keep the operations that were not finished", arguments: Engine.available)
    func keepsPendingOperations(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let killed = try await server.update(journal: 2)
            _ = try await killed.journal(
                [Journal.provider] + Journal.create(2, 1, "S")
                    + [Journal.entry(4, kind: 0, 2, Journal.pending("creating", "A"))]
            )

            let blocked = try await server.start(try await server.make(of: "acme/site/dev"), of: "acme/site/dev")
            let cancelled = try await killed.cancel()

            #expect(blocked.status == 409)
            #expect(cancelled.status == 204)
            #expect(try await server.resources() == ["S@1", "creating A"])
        }
    }

    @Test("are final: no renewal revives a lease", arguments: Engine.available, ["succeeded", "failed", "cancel"])
    func staysEnded(engine: Engine, end: String) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let update = try await server.update()
            _ = end == "cancel" ? try await update.cancel() : try await update.complete(end)

            let renewed = try await update.renew()

            #expect(renewed.status == 403)
            #expect(try await server.currentOperation() == nil)
            #expect(try await server.update().started["version"].int == 2)
        }
    }

    @Test("of leases that are over come with whatever wants the stack next", arguments: Engine.available, Next.allCases)
    func expire(engine: Engine, next: Next) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let lost = try await server.update(journal: 2)
            _ = try await lost.journal([Journal.provider] + Journal.create(2, 1, "A"))
            server.clock.advance(by: .seconds(361))
            let path = "/api/stacks/acme/site/dev"

            switch next {
            case .importState:
                try await server.importState([Journal.resource("B", 1)], into: "acme/site/dev")
                #expect(try await server.resources(version: 2) == ["B@1"])
                #expect(try await server.resources(version: 1) == ["A@1"])
            case .rename:
                let reply = try await server.send("POST", "\(path)/rename", json: #"{"newName":"prod"}"#)
                #expect(reply.status == 200)
                #expect(try await server.resources("acme/site/prod", version: 2) == ["A@1"])
            case .deletion:
                #expect(try await server.send("DELETE", "\(path)?force=false").status == 400)
                #expect(try await server.send("DELETE", "\(path)?force=true").status == 204)
            case .preview:
                let preview = try await server.update("preview")
                #expect(preview.started["version"].int == 0)
                #expect(try await server.resources() == ["A@1"])
            case .job:
                try await TestFolder.with { folder in
                    let hold = try hold(server, folder)
                    let counts = [try await hold.expireDead(), try await hold.expireDead()]
                    #expect(counts == [1, 0])
                }
                #expect(try await server.history() == ["update failed 1"])
            }
        }
    }

    /// What the job has that ends updates whose lease is over.
    private func hold(_ server: TestServer, _ folder: String) throws -> StackHold {
        let (database, effects) = (server.database, server.clock.effects)
        let objects = try FolderObjectStore(path: folder, setting: "CAIRN_DATA", pool: Pools.files)
        let state = StateServices(database: database, effects: effects, objects: objects, compute: Pools.compute)
        let ending = UpdateEnding(database: database, effects: effects, state: state)
        return StackHold(database: database, effects: effects, ending: ending)
    }

    enum Next: CaseIterable, Sendable { case importState, rename, deletion, preview, job }

    @Test("wait while stored bytes are wrong, and lose nothing that was saved", arguments: Engine.available)
    func waitsForStore(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.importState([Journal.resource("A", 1)], into: "acme/site/dev")
            let update = try await server.update(journal: 2)
            _ = try await update.journal(Journal.create(1, 1, "B"))
            try await server.spoilStates()

            let ends = [try await update.complete(), try await update.cancel()]
            try await server.spoilStates()
            let healed = try await update.complete()

            #expect(ends.map(\.status) == [503, 503])
            #expect(ends.allSatisfy { $0.headers["Retry-After"] != nil && $0.message?.contains("is lost") == true })
            #expect(healed.status == 204)
            #expect(try await server.resources().sorted() == ["A@1", "B@1"])
        }
    }

    @Test("come in the end though stored bytes stay wrong, and what was saved is kept", arguments: Engine.available)
    func endsWithDamage(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.importState([Journal.resource("A", 1)], into: "acme/site/dev")
            let update = try await server.update(journal: 2)
            _ = try await update.journal(Journal.create(1, 1, "B"))
            try await server.spoilStates()
            server.clock.advance(by: .seconds(300 + 599))
            #expect(try await update.cancel().status == 503)
            server.clock.advance(by: .seconds(2))

            #expect(try await update.cancel().status == 204)

            #expect(try await server.currentOperation() == nil)
            let kept = try await server.database.read { tx in
                try tx.first("SELECT COUNT(*) FROM journal_segments") { try $0.int(0) }
            }
            #expect(kept == 1)
        }
    }

    @Test("of one update never end another", arguments: Engine.available)
    func endsOne(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let first = try await server.update()
            _ = try await first.complete("failed")
            let second = try await server.update()

            let replies = [try await first.cancel(), try await first.complete("succeeded")]

            #expect(replies.map(\.status) == [409, 409])
            #expect(try await server.currentOperation() == "update")
            #expect(try await second.complete().status == 204)
        }
    }

    @Test("race with saves so that nothing is acknowledged and lost", arguments: Engine.available)
    func racesWithSaves(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            for round in 0..<10 {
                let update = try await server.update(journal: 2)
                async let cancelled = update.cancel()
                let saved = try await withThrowingTaskGroup(of: String?.self) { group in
                    for number in 0..<4 {
                        group.addTask {
                            let name = "r\(round)-\(number)"
                            let entries = Journal.create(number * 2 + 1, number + 1, name)
                            return try await update.journal(entries).status == 204 ? name : nil
                        }
                    }
                    return try await group.reduce(into: [String]()) { if let name = $1 { $0.append("\(name)@1") } }
                }
                #expect(try await cancelled.status == 204)

                let state = try await server.resources()
                #expect(state.filter { $0.hasPrefix("r\(round)-") }.sorted() == saved.sorted(), "round \(round)")
            }
        }
    }
}

extension TestServer {
    /// Changes one bit in the bytes of every state; twice changes it back.
    fileprivate func spoilStates() async throws {
        try await database.write { tx in
            let rows = try tx.all("SELECT version, body FROM state_versions") { (try $0.int(0), try $0.bytes(1)) }
            for (number, body) in rows {
                var bytes = body
                bytes[bytes.count / 2] ^= 1
                _ = try tx.execute("UPDATE state_versions SET body = \(bytes) WHERE version = \(number)")
            }
        }
    }
}
