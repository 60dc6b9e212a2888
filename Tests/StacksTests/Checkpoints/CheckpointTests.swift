import APITestKit
import Crypto
import Kernel
import Persistence
import Stacks
import StateStore
import TestKit
import Testing

@Suite("Saves without a journal")
struct CheckpointTests {
    private let stack = "acme/site/dev"

    @Test("of many resources come back to the byte, while the update runs and after it", arguments: Engine.available)
    func large(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack(stack)
            for (number, (form, gzip)) in [
                ("checkpointverbatim", false), ("checkpointverbatim", true), ("checkpoint", false),
                ("checkpoint", true),
            ].enumerated() {
                let state = LargeState(400)
                let update = try await server.begin("update", of: stack)
                let body = form == "checkpoint" ? state.plain : state.verbatim(1)

                let saved = try await server.save(body, as: form, of: stack, update, gzip: gzip)

                #expect(saved.status == 204, "\(saved)")
                #expect(try await server.export(stack) == state.text)
                #expect(try await server.complete(stack, update).status == 204)
                #expect(try await server.export(stack) == state.text)
                #expect(try await server.export(stack, gzip: true) == state.text)
                #expect(try await server.export(stack, version: number + 1) == state.text)
            }
        }
    }

    @Test("leave one object while the update runs, and what its version needs afterwards")
    func objects() async throws {
        try await withStackServer(.sqlite) { server, objects in
            try await server.createStack(stack)
            let update = try await server.begin("update", of: stack)
            var state = LargeState(400)
            for sequence in 1...3 {
                state.change(7)
                _ = try await server.save(state.verbatim(sequence), as: "checkpointverbatim", of: stack, update)
                #expect(try await objects.states().count == 1)
            }

            _ = try await server.complete(stack, update)

            #expect(try await objects.states().count == 1)
            #expect(try await server.export(stack) == state.text)
        }
    }

    @Test("that are refused leave nothing behind", arguments: ["checkpoint", "checkpointverbatim"])
    func refused(form: String) async throws {
        try await withStackServer(.sqlite) { server, objects in
            try await server.createStack(stack)
            let update = try await server.begin("update", of: stack)
            let state = LargeState(400)
            let good = form == "checkpoint" ? state.plain : state.verbatim(1)
            for body in [String(good.dropLast()), good + "x", String(good.dropLast(2)) + "]}"] {
                for gzip in [false, true] {
                    let reply = try await server.save(body, as: form, of: stack, update, gzip: gzip)
                    #expect(reply.status == 400, "\(reply)")
                }
            }

            #expect(try await objects.states().isEmpty)
            #expect(!(try await server.export(stack)).contains("r399"))
        }
    }

    @Test("whose envelope was damaged are neither served nor made a version", arguments: Engine.available)
    func damagedEnvelope(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack(stack)
            let update = try await server.begin("update", of: stack)
            let state = LargeState(3)
            _ = try await server.save(state.plain, as: "checkpoint", of: stack, update)
            try await server.database.write { tx in
                let prefix = Array(#"{"version":4,"deployment":"#.utf8)
                try tx.execute("UPDATE update_checkpoints SET prefix = \(prefix)")
            }

            let export = try await server.send("GET", "/api/stacks/\(stack)/export")
            let cancel = "/api/stacks/\(stack)/update/\(update.id)/cancel"
            let refused = try await server.send("POST", cancel)
            // It may have been the way to the bytes; some time after the lease that is not to be hoped for any more.
            server.clock.advance(by: .seconds(901))
            let ended = try await server.send("POST", cancel)

            #expect(export.status == 500, "\(export)")
            #expect(refused.status == 503, "\(refused)")
            #expect(ended.status < 300, "\(ended)")
            #expect(try await server.export(stack).contains(#""version":4"#) == false)
        }
    }

    @Test("as differences, many in a row, come to the text that the client has", arguments: Engine.available)
    func deltas(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack(stack)
            let update = try await server.begin("update", of: stack)
            var text = LargeState(200).text
            let first = #"{"version":3,"untypedDeployment":\#(text),"sequenceNumber":1}"#
            _ = try await server.save(first, as: "checkpointverbatim", of: stack, update)
            // More than are kept before the whole text is stored anew.
            for sequence in 2...140 {
                let (body, changed) = delta(of: text, sequence)
                let reply = try await server.save(
                    body,
                    as: "checkpointdelta",
                    of: stack,
                    update,
                    gzip: sequence % 2 == 0
                )
                try #require(reply.status == 204, "\(sequence): \(reply)")
                text = changed
                if sequence % 20 == 0 {
                    #expect(try await server.save(body, as: "checkpointdelta", of: stack, update).status == 204)
                    #expect(try await server.export(stack) == text)
                }
            }

            #expect(try await server.complete(stack, update).status == 204)

            #expect(try await server.export(stack) == text)
        }
    }

    @Test("as differences to another text are refused, and the client's whole state is taken then")
    func fallback() async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack(stack)
            let update = try await server.begin("update", of: stack)
            let state = LargeState(50)
            let early = try await server.save(
                delta(of: state.text, 1).body,
                as: "checkpointdelta",
                of: stack,
                update
            )
            #expect(early.status == 400)
            _ = try await server.save(state.verbatim(1), as: "checkpointverbatim", of: stack, update)
            var other = state
            other.change(3)

            let (body, changed) = delta(of: other.text, 2)
            let refused = try await server.save(body, as: "checkpointdelta", of: stack, update)
            let skipped = try await server.save(
                delta(of: state.text, 4).body,
                as: "checkpointdelta",
                of: stack,
                update
            )

            #expect(refused.status == 400 && skipped.status == 400)
            #expect(try await server.export(stack) == state.text)
            let whole = #"{"version":3,"untypedDeployment":\#(changed),"sequenceNumber":2}"#
            #expect(try await server.save(whole, as: "checkpointverbatim", of: stack, update).status == 204)
            #expect(try await server.export(stack) == changed)
        }
    }

    @Test("are read from what is stored when nobody holds their text in memory")
    func cold() async throws {
        try await withStackServer(.sqlite) { server, objects in
            try await server.createStack(stack)
            let update = try await server.begin("update", of: stack)
            let state = LargeState(100)
            _ = try await server.save(state.verbatim(1), as: "checkpointverbatim", of: stack, update)
            let (body, changed) = delta(of: state.text, 2)
            _ = try await server.save(body, as: "checkpointdelta", of: stack, update)
            let id = try #require(UpdateID(update.id))
            let saved = try await server.database.read { tx in try CheckpointStore().find(of: id, in: tx) }
            let stateObjects = StateObjects(objects: objects, effects: server.clock.effects)

            // As a server that was started anew over the same data.
            let texts = CheckpointTexts(
                objects: stateObjects,
                writer: VersionWriter(objects: stateObjects, compute: Pools.compute),
                reader: VersionReader(objects: stateObjects, compute: Pools.compute),
                compute: Pools.compute
            )
            let text = try await texts.text(of: try #require(saved), by: id)

            #expect(String(decoding: text.joined(), as: UTF8.self) == changed)
        }
    }

    /// A difference that replaces one value of the text.
    private func delta(of text: String, _ sequence: Int) -> (body: String, changed: String) {
        let bytes = Array(text.utf8)
        let start = bytes.count / 2 + sequence * 100
        var place = start
        while !bytes[place].isHexDigit || !bytes[place + 7].isHexDigit { place += 1 }
        let new = Hex.encode(Random.bytes(5))
        let changed = bytes[..<place] + Array(new.utf8) + bytes[(place + 4)...]
        let hash = SHA256.hash(Array(changed)).hex
        let body = """
            {"version":3,"checkpointHash":"\(hash)","sequenceNumber":\(sequence),"deploymentDelta":[{"Span":\
            {"uri":"","start":{"line":1,"column":\(place + 1),"offset":\(place)},\
            "end":{"line":1,"column":\(place + 5),"offset":\(place + 4)}},"NewText":"\(new)"}]}
            """
        return (body, String(decoding: changed, as: UTF8.self))
    }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool { (48...57).contains(self) || (97...102).contains(self) }
}
