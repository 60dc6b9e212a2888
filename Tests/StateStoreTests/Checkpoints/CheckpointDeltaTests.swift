import Kernel
import NoiseTestKit
import StateStore
import Testing

@Suite("Checkpoint deltas (assertions 65 to 70)")
struct CheckpointDeltaTests {
    private static let d1 =
        #"{"version":3,"deployment":{"manifest":{"time":"2026-01-01T00:00:00Z","magic":"","version":""},"#
        + #""metadata":{},"resources":[{"urn":"a","custom":false,"type":"t"}]}}"#
    private static let d2Hash = "f5ef167ec0d17f67b7840e900035b9d2c50ab9f4fbf4b865d0453ef5faae4bd0"
    private static let d2Edit = edit(
        121,
        158,
        #"{\"urn\":\"a\",\"custom\":false,\"type\":\"t\"},{\"urn\":\"é\",\"custom\":false,\"type\":\"t\"}"#
    )

    private static func edit(_ start: Int, _ end: Int, _ text: String) -> String {
        #"{"Span":{"uri":"","start":{"line":1,"column":1,"offset":\#(start)},"#
            + #""end":{"line":1,"column":1,"offset":\#(end)}},"NewText":"\#(text)"}"#
    }

    private static func lines(_ start: (Int, Int), _ end: (Int, Int), _ text: String, offset: Int = -1) -> String {
        #"{"Span":{"start":{"line":\#(start.0),"column":\#(start.1),"offset":\#(offset)},"#
            + #""end":{"line":\#(end.0),"column":\#(end.1),"offset":\#(offset)}},"NewText":"\#(text)"}"#
    }

    private func delta(_ edits: [String], hash: String, sequence: Int = 2) throws(StateError) -> CheckpointDelta {
        let list = "[\(edits.joined(separator: ","))]"
        return try CheckpointDelta(
            body: bytes(
                #"{"version":3,"checkpointHash":"\#(hash)","sequenceNumber":\#(sequence),"deploymentDelta":\#(list)}"#
            )
        )
    }

    private func apply(_ edits: [String], to base: String, hash: String) throws -> String {
        let (result, _) = try delta(edits, hash: hash).apply(to: PiecedText(Array(base.utf8)), hash: TestHash.maker)
        return text(result.joined())
    }

    @Test("65: the worked vectors give texts of the stated hashes")
    func vectors() throws {
        let base = PiecedText(Array(Self.d1.utf8))
        #expect(base.count == 161)
        #expect(
            hexadecimalHash(of: base.pieces, TestHash.maker)
                == "a300f67df8820bcdb3d6ff83ad0d4967ffac05e1d5b2546ebc01ebf412d69748"
        )

        let (d2, first) = try delta([Self.d2Edit], hash: Self.d2Hash).apply(to: base, hash: TestHash.maker)
        let insertion = Self.edit(197, 197, #",{\"urn\":\"c\",\"custom\":false,\"type\":\"t\"}"#)
        let d3Hash = "a9fe4682fd98aa0b14ef444a91e744f661312137011eca225f759b03901d85a7"
        let (d3, second) = try delta([insertion], hash: d3Hash, sequence: 3).apply(to: d2, hash: TestHash.maker)

        #expect(d2.count == 200 && first.resourceCount == 2)
        #expect(d3.count == 238 && second.resourceCount == 3)
        #expect(d3.pieces.count > 3, "untouched pieces are shared, not copied")
        #expect(
            text(d3.joined()).hasSuffix(
                #"{"urn":"é","custom":false,"type":"t"},{"urn":"c","custom":false,"type":"t"}]}}"#
            )
        )
    }

    @Test(
        "67: what does not fit is refused",
        arguments: [
            ([edit(121, 162, "")], "offset 162 is beyond the end of the text, which has 161 bytes"),
            ([edit(130, 121, "")], "an edit ends before it starts"),
            ([edit(1, 5, ""), edit(4, 6, "")], "edits overlap"),
            ([edit(-2, 5, "")], "line 1, column 1 is not in the text"),
            ([lines((0, 1), (1, 1), "")], "line 0, column 1 is not in the text"),
            ([lines((1, 0), (1, 1), "")], "line 1, column 0 is not in the text"),
            ([lines((4, 1), (4, 1), "")], "line 4, column 1 is not in the text"),
            ([edit(0, 1, "{")], "the result has another hash than ffff"),
        ]
    )
    func refused(edits: [String], problem: String) throws {
        let error = #expect(throws: StateError.deltaRefused(problem)) { try apply(edits, to: Self.d1, hash: "ffff") }
        #expect(error?.serviceError.code == .invalidArgument)
    }

    @Test("67: an offset inside of a character is refused")
    func insideCharacter() throws {
        let base = PiecedText([bytes(#"{"a":"é"#), bytes(#""}"#)])

        #expect(throws: StateError.deltaRefused("offset 7 is inside of a character")) {
            try delta([Self.edit(7, 8, "")], hash: "ffff").apply(to: base, hash: TestHash.maker)
        }
    }

    @Test("67: huge numbers are refused, not wrapped", arguments: [Int.max, Int(Int32.max) + 1])
    func hugeOffsets(offset: Int) {
        #expect(throws: StateError.self) { try apply([Self.edit(offset, offset, "")], to: Self.d1, hash: "ffff") }
        #expect(throws: StateError.self) {
            try apply([Self.lines((offset, offset), (offset, offset), "")], to: Self.d1, hash: "ffff")
        }
    }

    @Test("67: a result that is no document is refused although its hash is right")
    func noDocument() throws {
        for result in [#"{"version":3}"#, #"{"deployment":null}"#, #"{"version":9,"deployment":null}"#, "[]", "{"] {
            let escaped = result.replacing("\"", with: "\\\"")
            #expect(throws: StateError.self, "\(result)") {
                try apply([Self.edit(0, 161, escaped)], to: Self.d1, hash: TestHash.hexadecimal(result))
            }
        }
    }

    @Test("68: lines and columns address bytes as well")
    func lineAddressing() throws {
        let base =
            "{\"version\":3,\"deployment\":{\"manifest\":{},\"resources\":[\n{\"urn\":\"a\"},\n{\"urn\":\"b\"}\n]}}"
        #expect(TestHash.hexadecimal(base) == "a30291a3dafee0b0b6d7843b9dfc6943a2494abb97590bce8b30bf0f7d334a09")

        let edits = [Self.lines((3, 1), (4, 1), ""), Self.lines((4, 1), (4, 1), #"{\"urn\":\"c\"}\n"#)]
        let hash = "be9d44d1afd2c6d86550dcc7d001f2dee41edcf89f29dc23e80d63f03185a9bb"

        #expect(try apply(edits, to: base, hash: hash) == base.replacing("\"b\"", with: "\"c\""))
        // Offset 0 with a line beyond the first one means the line, too.
        let zero = [
            Self.lines((3, 1), (4, 1), "", offset: 0), Self.lines((4, 1), (4, 1), #"{\"urn\":\"c\"}\n"#, offset: 0),
        ]
        #expect(try apply(zero, to: base, hash: hash) == base.replacing("\"b\"", with: "\"c\""))
    }

    @Test("68: one line past the last is the end, and columns count bytes")
    func linesAtTheEnd() throws {
        let base = "{\"version\":3,\n\"deployment\":null}"
        let result = base + "\n"

        let appended = try apply([Self.lines((3, 1), (3, 1), #"\n"#)], to: base, hash: TestHash.hexadecimal(result))
        let inside = try apply(
            [Self.lines((2, 14), (2, 18), "{}")],
            to: base,
            hash: TestHash.hexadecimal(base.replacing("null", with: "{}"))
        )

        #expect(appended == result)
        #expect(inside == base.replacing("null", with: "{}"))
    }

    @Test("69: no edits give the base", arguments: [#","deploymentDelta":[]"#, #","deploymentDelta":null"#, ""])
    func noEdits(member: String) throws {
        let body = #"{"checkpointHash":"\#(TestHash.hexadecimal(Self.d1))","sequenceNumber":2\#(member)}"#
        let (result, _) = try CheckpointDelta(body: bytes(body)).apply(
            to: PiecedText(Array(Self.d1.utf8)),
            hash: TestHash.maker
        )

        #expect(text(result.joined()) == Self.d1)
    }

    @Test("edits at one place apply in the order of the list, unsorted ones are sorted")
    func orderOfEdits() throws {
        let base = #"{"version":3,"deployment":null,"x":""}"#
        let at = 35
        let result = #"{"version":4,"deployment":null,"x":"abc"}"#
        let edits = [
            Self.edit(at + 1, at + 1, "a"), Self.edit(at + 1, at + 1, "b"), Self.edit(11, 12, "4"),
            Self.edit(at + 1, at + 1, "c"),
        ]

        #expect(try apply(edits, to: base, hash: TestHash.hexadecimal(result)) == result)
    }

    @Test("a null text is an empty one")
    func nullText() throws {
        let edit = #"{"Span":{"start":{"offset":12},"end":{"offset":18}},"NewText":null}"#
        let base = #"{"version":3,"x":1,"deployment":null}"#
        let result = #"{"version":3,"deployment":null}"#

        #expect(try apply([edit], to: base, hash: TestHash.hexadecimal(result)) == result)
    }

    @Test(
        "bodies of another form are refused",
        arguments: [
            "{}", #"{"sequenceNumber":1}"#, #"{"checkpointHash":"x"}"#, #"{"checkpointHash":"","sequenceNumber":1}"#,
            #"{"checkpointHash":"x","sequenceNumber":0}"#, #"{"checkpointHash":"x","sequenceNumber":"1"}"#,
            #"{"checkpointHash":"x","sequenceNumber":1,"deploymentDelta":"[]"}"#,
            #"{"checkpointHash":"x","sequenceNumber":1,"deploymentDelta":[{}]}"#,
            #"{"checkpointHash":"x","sequenceNumber":1,"deploymentDelta":[1]}"#,
            #"{"checkpointHash":"x","sequenceNumber":1,"deploymentDelta":[{"Span":{"start":{},"end":1}}]}"#,
            #"{"checkpointHash":"x","sequenceNumber":1,"deploymentDelta":[{"Span":{"start":{"offset":1.5},"end":{}}}]}"#,
            #"{"checkpointHash":"x","sequenceNumber":1,"deploymentDelta":[{"Span":{"start":{},"end":{}},"NewText":1}]}"#,
            "[",
        ]
    )
    func malformed(body: String) {
        #expect(throws: StateError.self) { try CheckpointDelta(body: bytes(body)) }
    }

    @Test("the text in any pieces gives the same, edit by random edit")
    func randomPieces() throws {
        for seed in 0..<300 as Range<UInt64> {
            var noise = Noise(seed: seed)
            var whole = Array((Self.d1 + "éü😀").utf8)
            var pieced = PiecedText()
            var index = 0
            while index < whole.count {
                let end = min(whole.count, index + noise.below(30))
                pieced.append(whole[index..<end])
                index = end
            }
            for _ in 0..<4 {
                let borders = [noise.below(whole.count + 1), noise.below(whole.count + 1)].sorted()
                let new = "x\(noise.below(9))"
                let delta = try delta([Self.edit(borders[0], borders[1], new)], hash: "ffff")
                // Borders inside of characters are refused, by another test's word.
                guard let result = try? delta.edited(pieced) else { continue }
                whole.replaceSubrange(borders[0]..<borders[1], with: Array(new.utf8))
                pieced = result
                #expect(pieced.joined() == whole, "seed \(seed)")
                #expect(pieced.count == whole.count, "seed \(seed)")
            }
        }
    }
}
