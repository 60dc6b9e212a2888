import APITestKit
import Crypto
import TestKit
import Testing

@Suite("Checkpoints of running updates")
struct CheckpointProtocolTests {
    @Test("64: plain ones replace each other, and are in the export at once", arguments: Engine.available)
    func plain(engine: Engine) async throws {
        try await withUpdate(engine) { server, update in
            for (name, version) in [("A", 1), ("B", 2), ("B", 2)] {
                let reply = try await update.save([Journal.resource(name, version)])
                #expect(reply.status == 204)
                #expect(try await server.resources() == ["\(name)@\(version)"])
            }
            let invalid = try await update.send("PATCH", "/checkpoint", #"{"isInvalid":true,"version":3}"#)

            #expect(invalid.status == 204)
            #expect(try await server.resources() == ["B@2"])
        }
    }

    @Test(
        "64: plain ones keep version, features and what nobody knows yet, in any order",
        arguments: [
            (#"{"isInvalid":false,"version":4,"features":["taint"],"deployment":"#, "}"),
            (#"{ "deployment":"#, #", "features":["taint"],"version" : 4 }"#),
            (
                #"{"later":{"x":[1.10]},"features":["taint"],"deployment":"#,
                #","version":4,"isInvalid":false,"z":null}"#
            ),
        ]
    )
    func plainOrder(before: String, after: String) async throws {
        let deployment =
            #"{"manifest":{},"later":1.50,"resources":[{"urn":"A","custom":false,"type":"t","taint":true}]}"#
        try await withUpdate(.sqlite) { server, update in
            let saved = try await update.send("PATCH", "/checkpoint", before + deployment + after)
            let during = try await server.export()
            _ = try await update.complete()

            #expect(saved.status == 204, "\(saved)")
            #expect(during.json["version"].int == 4)
            #expect(during.json["features"].array.map(\.string) == ["taint"])
            #expect(during.text.contains(deployment))
            #expect(try await server.export(version: 1).text == during.text)
        }
    }

    @Test(
        "64: that are no state are refused with the reason, and the state stays",
        arguments: [
            ("checkpoint", #"{"isInvalid":false,"version":0,"deployment":{}}"#, "version"),
            ("checkpoint", #"{"isInvalid":false,"version":5,"deployment":{}}"#, "version"),
            ("checkpoint", #"{"isInvalid":false,"version":3}"#, "deployment"),
            ("checkpoint", #"{"version":3,"deployment":"text"}"#, "deployment"),
            ("checkpoint", #"{"version":3,"deployment":{"resources":{}}}"#, "resources"),
            ("checkpoint", "[]", ""), ("checkpoint", "", ""), ("checkpoint", "{", ""), ("checkpoint", "{}x", ""),
            ("checkpointverbatim", #"{"version":3,"sequenceNumber":2}"#, "untypedDeployment"),
            (
                "checkpointverbatim", #"{"version":3,"untypedDeployment":{"version":3,"deployment":{}}}"#,
                "sequenceNumber"
            ),
            ("checkpointverbatim", Save.verbatim(#"{"version":3,"deployment":{}}"#, 0), "sequenceNumber"),
            ("checkpointverbatim", Save.verbatim(#"{"version":0,"deployment":{}}"#, 2), "version"),
            ("checkpointverbatim", Save.verbatim("5", 2), ""), ("checkpointverbatim", "[]", ""),
            ("checkpointdelta", #"{"version":3,"sequenceNumber":2,"deploymentDelta":[]}"#, "checkpointHash"),
            ("checkpointdelta", Save.delta("[]", 2, hash: ""), "checkpointHash"),
            ("checkpointdelta", Save.delta("{}", 2, hash: Vectors.hash1), "deploymentDelta"),
            ("checkpointdelta", Save.delta(#"[{"Span":5}]"#, 2, hash: Vectors.hash1), ""),
        ]
    )
    func refuses(kind: String, body: String, reason: String) async throws {
        try await withUpdate(.sqlite) { server, update in
            #expect(try await update.save(verbatim: Vectors.text1, 1).status == 204)

            let reply = try await update.send("PATCH", "/\(kind)", body)

            #expect(reply.status == 400)
            #expect(reply.message?.contains(reason) == true, "\(reply)")
            #expect(try await server.export().text == Vectors.text1)
        }
    }

    @Test("65, 23.1: deltas by byte offsets give the texts of the stated hashes", arguments: Engine.available)
    func deltas(engine: Engine) async throws {
        try await withUpdate(engine) { server, update in
            let saves = [
                try await update.save(verbatim: Vectors.text1, 1),
                try await update.save(delta: Vectors.edits2, 2, hash: Vectors.hash2),
                try await update.save(delta: Vectors.edits3, 3, hash: Vectors.hash3),
            ]
            let during = try await server.export()
            _ = try await update.complete()

            #expect(saves.map(\.status) == [204, 204, 204])
            #expect(SHA256.hash(during.body).hex == Vectors.hash3)
            #expect(try await server.export(version: 1).text == during.text)
        }
    }

    @Test("66: a delta that comes twice is applied once", arguments: Engine.available)
    func repeats(engine: Engine) async throws {
        try await withUpdate(engine) { server, update in
            _ = try await update.save(verbatim: Vectors.text1, 1)
            for _ in 0..<2 {
                #expect(try await update.save(delta: Vectors.edits2, 2, hash: Vectors.hash2).status == 204)
                #expect(SHA256.hash(try await server.export().body).hex == Vectors.hash2)
            }
        }
    }

    @Test(
        "67, 23.5, seen 26: a delta that does not fit is refused, and the whole text of the same number is taken",
        arguments: [
            (Vectors.edits3, 5, Vectors.hash3), (Vectors.edits3, 3, Vectors.hash2),
            (Vectors.insertion(at: 500), 3, Vectors.hash3), (Vectors.insertion(at: 197, to: 196), 3, Vectors.hash3),
            (Vectors.insertion(at: 168), 3, Vectors.hash3), (Vectors.insertion(at: -1), 3, Vectors.hash3),
            ("[]", 2, Vectors.hash1),
        ]
    )
    func refusesDelta(edits: String, sequence: Int, hash: String) async throws {
        try await withUpdate(.sqlite) { server, update in
            let early = try await update.save(delta: Vectors.edits2, 1, hash: Vectors.hash2)
            _ = try await update.save(verbatim: Vectors.text1, 1)
            _ = try await update.save(delta: Vectors.edits2, 2, hash: Vectors.hash2)

            let refused = try await update.save(delta: edits, sequence, hash: hash)
            let kept = try await server.export()
            let whole = try await update.save(verbatim: Vectors.text1, 3)
            let next = try await update.save(delta: Vectors.edits2, 4, hash: Vectors.hash2)

            #expect(early.status == 400)
            #expect(refused.status == 400)
            #expect(refused.message?.contains("failed to apply checkpoint delta") == true, "\(refused)")
            #expect(SHA256.hash(kept.body).hex == Vectors.hash2)
            #expect(whole.status == 204)
            #expect(next.status == 204)
            #expect(SHA256.hash(try await server.export().body).hex == Vectors.hash2)
        }
    }

    @Test("68, 23.2: deltas by lines give the text of the stated hash")
    func lines() async throws {
        let point = { (line: Int) in #"{"line":\#(line),"column":1,"offset":-1}"# }
        let span = { (from: Int, to: Int) in #""Span":{"uri":"","start":\#(point(from)),"end":\#(point(to))}"# }
        let edits = #"[{\#(span(3, 4)),"NewText":""},{\#(span(4, 4)),"NewText":"{\"urn\":\"c\"}\n"}]"#
        let base = """
            {"version":3,"deployment":{"manifest":{},"resources":[
            {"urn":"a"},
            {"urn":"b"}
            ]}}
            """
        try await withUpdate(.sqlite) { server, update in
            let first = try await update.save(verbatim: base, 1)

            let second = try await update.save(
                delta: edits,
                2,
                hash: "be9d44d1afd2c6d86550dcc7d001f2dee41edcf89f29dc23e80d63f03185a9bb"
            )

            #expect(first.status == 204, "\(first)")
            #expect(second.status == 204, "\(second)")
        }
    }

    @Test("69: no edits give the base", arguments: ["[]", "null"])
    func noEdits(edits: String) async throws {
        try await withUpdate(.sqlite) { server, update in
            _ = try await update.save(verbatim: Vectors.text1, 1)

            let none = try await update.save(delta: edits, 2, hash: Vectors.hash1)
            let absent = try await update.send(
                "PATCH",
                "/checkpointdelta",
                #"{"version":3,"checkpointHash":"\#(Vectors.hash1)","sequenceNumber":3}"#
            )

            #expect(none.status == 204)
            #expect(absent.status == 204)
            #expect(try await server.export().text == Vectors.text1)
        }
    }

    @Test("70: the first delta of an update has no base, whatever the one before it saved", arguments: Engine.available)
    func noBase(engine: Engine) async throws {
        try await withUpdate(engine) { server, first in
            _ = try await first.save(verbatim: Vectors.text1, 1)
            _ = try await first.complete()
            let second = try await server.update()

            for sequence in [1, 2] {
                let reply = try await second.save(delta: Vectors.edits2, sequence, hash: Vectors.hash2)
                #expect(reply.status == 400)
            }
            #expect(try await server.export().text == Vectors.text1)
        }
    }

    @Test(
        "71: a first text that overlaps with its own repetition is stored, and a delta follows",
        arguments: Engine.available
    )
    func overlaps(engine: Engine) async throws {
        try await withUpdate(engine) { server, update in
            async let first = update.save(verbatim: Vectors.text1, 1)
            async let second = update.save(verbatim: Vectors.text1, 1)
            let statuses = [try await first.status, try await second.status]

            let delta = try await update.save(delta: Vectors.edits2, 2, hash: Vectors.hash2)

            #expect(statuses == [204, 204])
            #expect(delta.status == 204)
        }
    }

    @Test(
        "72: a text is kept to the byte, with escapes, characters and numbers as they came",
        arguments: Engine.available
    )
    func keepsBytes(engine: Engine) async throws {
        let inputs = #"{"a":"\u003c\u2028é\ud800","b":1234567890123456789012345,"c":1.10,"d":-0,"d":1e400}"#
        let text = TestServer.state([#"{"urn":"A","custom":true,"type":"t","inputs":\#(inputs)}"#])
        try await withUpdate(engine) { server, update in
            let saved = try await update.save(verbatim: text, 1)

            let delta = try await update.save(delta: "[]", 2, hash: SHA256.hash(Array(text.utf8)).hex)

            #expect(saved.status == 204)
            #expect(delta.status == 204)
            #expect(try await server.export().text == text)
        }
    }

    @Test(
        "73: are not taken from an update with a journal, nor a journal from one without",
        arguments: Engine.available
    )
    func fitsMode(engine: Engine) async throws {
        try await withUpdate(engine) { server, update in
            let journal = try await update.journal([Journal.provider])
            _ = try await update.complete()
            let journaled = try await server.update(journal: 1)

            let saves = [
                try await journaled.save([]), try await journaled.save(verbatim: Vectors.text1, 1),
                try await journaled.save(delta: "[]", 1, hash: Vectors.hash1),
            ]

            #expect(journal.status == 400)
            #expect(journal.message?.contains("without a journal") == true)
            for reply in saves {
                #expect(reply.status == 400)
                #expect(reply.message?.contains("with a journal") == true)
            }
        }
    }

    @Test("that go back to an earlier text are no repetitions", arguments: Engine.available)
    func goesBack(engine: Engine) async throws {
        try await withUpdate(engine) { server, update in
            for (sequence, version) in [(1, 1), (2, 2), (3, 1)] {
                let text = TestServer.state([Journal.resource("A", version)])
                let saved = try await update.save(verbatim: text, sequence)
                #expect(saved.status == 204)
                #expect(try await server.export().text == text)
            }
        }
    }

    @Test("count once in the versions, however many there are", arguments: Engine.available)
    func countsOnce(engine: Engine) async throws {
        try await withUpdate(engine) { server, update in
            for version in 1...5 { _ = try await update.save([Journal.resource("A", version)]) }
            _ = try await update.complete()

            #expect(try await server.version() == 1)
            #expect(try await server.resources(version: 1) == ["A@5"])
            #expect(try await server.export(version: 2).status == 404)
        }
    }

    /// The worked texts of `spec/cli-protocol.md` §23.1.
    private enum Vectors {
        static let text1 = """
            {"version":3,"deployment":{"manifest":{"time":"2026-01-01T00:00:00Z","magic":"","version":""},\
            "metadata":{},"resources":[{"urn":"a","custom":false,"type":"t"}]}}
            """
        static let hash1 = "a300f67df8820bcdb3d6ff83ad0d4967ffac05e1d5b2546ebc01ebf412d69748"
        static let hash2 = "f5ef167ec0d17f67b7840e900035b9d2c50ab9f4fbf4b865d0453ef5faae4bd0"
        static let hash3 = "a9fe4682fd98aa0b14ef444a91e744f661312137011eca225f759b03901d85a7"
        static let edits2 = edit(
            121,
            158,
            #"{\"urn\":\"a\",\"custom\":false,\"type\":\"t\"},{\"urn\":\"é\",\"custom\":false,\"type\":\"t\"}"#
        )
        static let edits3 = insertion(at: 197)

        static func insertion(at start: Int, to end: Int? = nil) -> String {
            edit(start, end ?? start, #",{\"urn\":\"c\",\"custom\":false,\"type\":\"t\"}"#)
        }

        private static func edit(_ start: Int, _ end: Int, _ text: String) -> String {
            let point = { (offset: Int) in #"{"line":1,"column":1,"offset":\#(offset)}"# }
            return #"[{"Span":{"uri":"","start":\#(point(start)),"end":\#(point(end))},"NewText":"\#(text)"}]"#
        }
    }

    private func withUpdate(_ engine: Engine, _ body: (TestServer, TestUpdate) async throws -> Void) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await body(server, try await server.update())
        }
    }
}
