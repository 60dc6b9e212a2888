import JSONScan
import Kernel
import Testing

/// A cut as text, so that expectations can be read: `member deployment.metadata@12 {}`.
func describe(_ cut: Cut) -> String {
    switch cut {
    case .opened(let part, let offset): "opened \(part)@\(offset)"
    case .closed(let part, let end): "closed \(part)@\(end)"
    case .member(let part, let key, let value, let offset):
        "member \(part).\(key)@\(offset) \(String(decoding: value, as: UTF8.self))"
    case .element(let part, let value, let offset):
        "element \(part)@\(offset) \(String(decoding: value, as: UTF8.self))"
    }
}

func bytes(_ text: String) -> ArraySlice<UInt8> {
    ArraySlice(Array(text.utf8))
}

@Suite("Cutting")
struct CutterTests {
    @Test("finds resources, operations and every other member of a document")
    func document() throws {
        let text =
            #"{"version":3,"features":["a"],"deployment":{"manifest":{},"resources":[{"urn":"a"}, {"b":[1]}],"#
            + #""pending_operations":[{"type":"x"}],"metadata":{}},"more":null}"#

        let cuts = try Cutter.cut(bytes(text), as: .document)

        #expect(
            cuts.map(describe) == [
                "opened document@0", "member document.version@11 3", #"member document.features@24 ["a"]"#,
                "opened deployment@43", "member deployment.manifest@55 {}", "opened resources@70",
                #"element resources@71 {"urn":"a"}"#, #"element resources@84 {"b":[1]}"#, "closed resources@94",
                "opened pendingOperations@116", #"element pendingOperations@117 {"type":"x"}"#,
                "closed pendingOperations@130", "member deployment.metadata@142 {}", "closed deployment@145",
                "member document.more@153 null", "closed document@158",
            ]
        )
    }

    @Test("gives the exact range of the document inside of a verbatim checkpoint")
    func verbatim() throws {
        let inner = #"{"version":3,"deployment":{"resources":[]}}"#
        let text = #"{"version":3,"untypedDeployment": \#(inner) ,"sequenceNumber":1}"#

        let cuts = try Cutter.cut(bytes(text), as: .verbatim)

        #expect(cuts.contains(.opened(.document, offset: 34)))
        #expect(cuts.contains(.closed(.document, end: 34 + inner.utf8.count)))
        #expect(cuts.contains(.member(.verbatim, key: "sequenceNumber", value: bytes("1"), offset: 96)))
    }

    @Test("finds the entries of a journal and the edits of a delta")
    func otherBodies() throws {
        let journal = try Cutter.cut(bytes(#"{"entries":[{"kind":0},{"kind":1}]}"#), as: .journal)
        let delta = try Cutter.cut(bytes(#"{"checkpointHash":"x","deploymentDelta":[{}]}"#), as: .delta)

        #expect(
            journal.map(describe) == [
                "opened journal@0", "opened entries@11", #"element entries@12 {"kind":0}"#,
                #"element entries@23 {"kind":1}"#, "closed entries@34", "closed journal@35",
            ]
        )
        #expect(
            delta.map(describe)[1...3] == [
                #"member delta.checkpointHash@18 "x""#, "opened edits@40", "element edits@41 {}",
            ]
        )
    }

    @Test("gives a part of another kind as a plain member", arguments: ["null", "{}", "1", "\"x\"", "true", "-0.5e+3"])
    func otherKinds(value: String) throws {
        let cuts = try Cutter.cut(bytes(#"{"resources":\#(value) }"#), as: .deployment)

        #expect(cuts[1] == .member(.deployment, key: "resources", value: bytes(value), offset: 13))
    }

    @Test("knows a key whatever its escapes")
    func escapedKey() throws {
        let cuts = try Cutter.cut(bytes(#"{"res\u006furces":[1,2]}"#), as: .deployment)

        #expect(cuts.map(describe).contains("element resources@21 2"))
    }

    @Test(
        "takes a scalar at the end of a list or object",
        arguments: ["0", "-1", "12.5", "1e5", "true", "null", "\"a\""]
    )
    func scalars(value: String) throws {
        let cuts = try Cutter.cut(bytes("{\"entries\":[\(value),\(value) ]}"), as: .journal)

        #expect(cuts.filter { if case .element = $0 { true } else { false } }.count == 2)
    }

    @Test("keeps odd but valid bytes as they are")
    func fidelity() throws {
        let odd = #"{"a":1.10,"a":-0,"n":123456789012345678901234567890,"s":"\ud800\u0000é\u2028😀\/","":{},"e":1E-2}"#

        let cuts = try Cutter.cut(bytes(#"{"resources":[\#(odd)]}"#), as: .deployment)

        #expect(cuts[2] == .element(.resources, value: bytes(odd), offset: 14))
    }

    @Test("shares the text's storage when it comes in one window")
    func sharing() throws {
        let text = bytes(#"{"resources":[{"urn":"a"}]}"#)
        guard case .element(_, let value, let offset) = try Cutter.cut(text, as: .deployment)[2] else {
            Issue.record("an element was expected")
            return
        }

        #expect(value.startIndex == text.startIndex + offset)
    }
}

@Suite("Refusals of the cutter")
struct CutterRefusalTests {
    @Test(
        "name what is wrong and where",
        arguments: [
            ("", "unexpected end at byte 0"), ("{", "unexpected end at byte 1"),
            ("[]", "a JSON object expected at byte 0"),
            ("{}x", "unexpected 'x' at byte 2"), ("{} {}", "unexpected '{' at byte 3"),
            ("\u{feff}{}", "a JSON object expected at byte 0"),
            ("{\"a\":}", "unexpected '}' at byte 5"), ("{\"a\" 1}", "unexpected '1' at byte 5"),
            ("{\"a\":1,}", "unexpected '}' at byte 7"),
            ("{a:1}", "unexpected 'a' at byte 1"), ("{\"a\":[1,]}", "unexpected ']' at byte 8"),
            ("{\"a\":[1 2]}", "unexpected '2' at byte 8"),
            ("{\"a\":[1}", "unexpected '}' at byte 7"), ("{\"a\":{]}", "unexpected ']' at byte 6"),
            ("{\"a\":01}", "unexpected '1' at byte 6"),
            ("{\"a\":1.}", "unexpected '}' at byte 7"), ("{\"a\":.5}", "unexpected '.' at byte 5"),
            ("{\"a\":-}", "unexpected '}' at byte 6"),
            ("{\"a\":1e}", "unexpected '}' at byte 7"), ("{\"a\":1e+}", "unexpected '}' at byte 8"),
            ("{\"a\":1-2}", "unexpected '-' at byte 6"),
            ("{\"a\":+1}", "unexpected '+' at byte 5"), ("{\"a\":tru}", "unexpected '}' at byte 8"),
            ("{\"a\":nulll}", "unexpected 'l' at byte 9"),
            ("{\"a\":NaN}", "unexpected 'N' at byte 5"), ("{\"a\":\"\\x\"}", "unexpected 'x' at byte 7"),
            ("{\"a\":\"\\u12g4\"}", "unexpected 'g' at byte 10"),
            ("{\"a\":\"\n\"}", "unexpected byte 10 at byte 6"), ("{\"a\":\"b", "unexpected end at byte 7"),
            ("{\"a\":'b'}", "unexpected ''' at byte 5"),
            ("{\"a\":1/**/}", "unexpected '/' at byte 6"), ("{\u{0}}", "unexpected byte 0 at byte 1"),
            ("{\"a\":\"\u{1f}\"}", "unexpected byte 31 at byte 6"),
            ("{\"deployment\":1,\"deployment\":{}}", "the key 'deployment' occurs twice at byte 29"),
        ]
    )
    func grammar(text: String, message: String) {
        let error = #expect(throws: ScanError.self) { try Cutter.cut(bytes(text), as: .document) }
        #expect(error?.description == message)
    }

    @Test(
        "cover every kind of invalid UTF-8",
        arguments: [
            [0x80], [0xbf], [0xc0, 0x80], [0xc1, 0xbf], [0xc3], [0xc3, 0x28], [0xe0, 0x9f, 0xbf], [0xed, 0xa0, 0x80],
            [0xe2, 0x82], [0xf0, 0x8f, 0xbf, 0xbf], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xff], [0xfe],
        ] as [[UInt8]]
    )
    func invalidUTF8(contents: [UInt8]) {
        let text = Array("{\"a\":\"".utf8) + contents + Array("\"}".utf8)

        let error = #expect(throws: ScanError.self) { try Cutter.cut(text[...], as: .document) }
        #expect(error?.problem == .invalidUTF8)
    }

    @Test("spare all valid UTF-8 at the borders of its ranges")
    func validUTF8() throws {
        let scalars: [UInt32] = [
            0x7f, 0x80, 0x7ff, 0x800, 0xfff, 0x1000, 0xd7ff, 0xe000, 0xfeff, 0xffff, 0x10000, 0x10ffff,
        ]
        let text = String(String.UnicodeScalarView(scalars.compactMap { UnicodeScalar($0) }))

        let cuts = try Cutter.cut(bytes("{\"a\":\"\(text)\"}"), as: .document)

        #expect(cuts[1] == .member(.document, key: "a", value: bytes("\"\(text)\""), offset: 5))
    }

    @Test(
        "come at the depth limit and not before",
        arguments: [
            (1, 1, true), (2, 1, false), (512, 512, true), (513, 512, false), (64, 64, true), (65, 64, false),
            (128, 130, true),
        ]
    )
    func depth(depth: Int, limit: Int, fits: Bool) {
        var limits = Cutter.Limits()
        limits.depth = limit
        let inner = depth - 1
        let text =
            "{\"a\":" + String(repeating: "[", count: inner) + (inner == 0 ? "1" : "")
            + String(repeating: "]", count: inner) + "}"

        if fits {
            #expect(throws: Never.self) { try Cutter.cut(bytes(text), as: .document, limits: limits) }
        } else {
            let error = #expect(throws: ScanError.self) { try Cutter.cut(bytes(text), as: .document, limits: limits) }
            #expect(error?.problem == .tooDeep(limit: limit))
        }
    }

    @Test("tell objects and lists apart at every depth")
    func mixedDepth() throws {
        let half = 200
        let text = String(repeating: "{\"a\":[", count: half) + String(repeating: "]}", count: half)

        #expect(throws: Never.self) { try Cutter.cut(bytes(text), as: .document) }
        let crossed = text.dropLast(2) + "}]"
        #expect(throws: ScanError.self) { try Cutter.cut(bytes(String(crossed)), as: .document) }
    }

    @Test("come for numbers beyond the limit only")
    func numbers() throws {
        let digits = String(repeating: "7", count: 1_000)

        #expect(throws: Never.self) { try Cutter.cut(bytes("{\"a\":\(digits)}"), as: .document) }
        let error = #expect(throws: ScanError.self) { try Cutter.cut(bytes("{\"a\":\(digits)7}"), as: .document) }
        #expect(error?.problem == .numberTooLong(limit: 1_000))
    }

    @Test("come for one value beyond the limit, in one window or in many", arguments: [1, 10, 10_000])
    func valueLimit(step: Int) throws {
        var limits = Cutter.Limits()
        limits.value = 100
        let fitting = bytes("{\"resources\":[\"\(String(repeating: "x", count: 98))\"]}")
        let longer = bytes("{\"resources\":[\"\(String(repeating: "x", count: 99))\"]}")

        #expect(throws: Never.self) { try cutInSteps(fitting, .deployment, limits) { _ in step } }
        let error = #expect(throws: ScanError.self) { try cutInSteps(longer, .deployment, limits) { _ in step } }
        #expect(error?.problem == .valueTooLong(limit: 100))
        #expect(error?.serviceError.code == .tooLarge)
    }

    @Test(
        "come for white space beyond the limit, wherever it stands",
        arguments: [#"_{"version":3}"#, #"{_"version":3}"#, #"{"version":_3}"#, #"{"version":3_}"#, #"{"version":3}_"#]
    )
    func blankLimit(form: String) throws {
        var limits = Cutter.Limits()
        limits.blank = 100
        let fitting = bytes(form.replacing("_", with: String(repeating: " ", count: 90)))
        let longer = bytes(form.replacing("_", with: String(repeating: "\n", count: 200)))

        #expect(throws: Never.self) { try cutInSteps(fitting, .document, limits) { _ in 7 } }
        let error = #expect(throws: ScanError.self) { try cutInSteps(longer, .document, limits) { _ in 7 } }
        #expect(error?.problem == .blankTooLong(limit: 100))
        #expect(error?.serviceError.code == .tooLarge)
    }

    @Test("stay for ever")
    func sticky() {
        var cutter = Cutter(.document)
        var cuts: [Cut] = []

        #expect(throws: ScanError.self) { try cutter.feed(bytes("{,"), into: &cuts) }
        #expect(throws: ScanError(.unexpectedByte(0x2c), at: 1)) { try cutter.feed(bytes("}"), into: &cuts) }
        #expect(throws: ScanError(.unexpectedByte(0x2c), at: 1)) { try cutter.finish() }
    }
}

/// Cuts a text in windows of the lengths that `step` gives.
func cutInSteps(
    _ text: ArraySlice<UInt8>,
    _ root: Part,
    _ limits: Cutter.Limits = Cutter.Limits(),
    step: (Int) -> Int
) throws(ScanError) -> [Cut] {
    var cutter = Cutter(root, limits: limits)
    var cuts: [Cut] = []
    var index = text.startIndex
    while index < text.endIndex {
        let end = min(text.endIndex, index + step(index))
        // A copy, so that a slice kept from an earlier window cannot see later ones.
        try cutter.feed(ArraySlice(Array(text[index..<end])), into: &cuts)
        index = end
    }
    try cutter.finish()
    return cuts
}
