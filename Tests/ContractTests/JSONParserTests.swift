import Contract
import Testing

@Suite("Parsing JSON")
struct JSONParserTests {
    @Test(
        "takes what RFC 8259 allows and keeps the text of numbers",
        arguments: [
            ("null", "null"), (" true ", "true"), ("-0", "-0"), ("1e3", "1e3"), ("0.10", "0.10"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("[]", "[]"), ("{}", "{}"), ("[1,[2,[3]]]", "[1,[2,[3]]]"),
            (#"{"b":1,"a":{"c":null}}"#, #"{"b":1,"a":{"c":null}}"#),
            (#""\u00e9\ud83d\ude00\n""#, "\"é😀\\n\""),
            ("\"\u{7f}ü\"", "\"\u{7f}ü\""),
        ]
    )
    func takes(text: String, written: String) throws {
        let value = try JSONValue.parse(Array(text.utf8))

        #expect(RawJSON(value).text == written)
    }

    @Test(
        "refuses everything else",
        arguments: [
            "", " ", "nul", "tru", "01", "+1", "1.", ".5", "1e", "0x1", "NaN", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":}",
            "{a:1}", "{\"a\":1,}", "'a'", "\"\u{1}\"", "\"\\x\"", "\"\\u12\"", "\"abc", "[", "{\"a\":1", "1 2", "[]]",
            "\u{feff}1",
        ]
    )
    func refuses(text: String) {
        #expect(throws: JSONError.self) { try JSONValue.parse(Array(text.utf8)) }
    }

    @Test(
        "refuses bytes that are no UTF-8",
        arguments: [[0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22]]
    )
    func refusesBrokenText(bytes: [UInt8]) {
        #expect(throws: JSONError.self) { try JSONValue.parse(bytes) }
    }

    @Test("refuses a key that comes twice: two readers would take different ones")
    func refusesDoubleKeys() {
        #expect(throws: JSONError.self) { try JSONValue.parse(Array(#"{"a":1,"b":2,"\u0061":3}"#.utf8)) }
    }

    @Test("bounds depth", arguments: [(64, true), (65, false)])
    func boundsDepth(depth: Int, isTaken: Bool) {
        let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)

        let value = try? JSONValue.parse(Array(text.utf8), limits: JSONLimits(depth: 64))

        #expect((value != nil) == isTaken)
    }

    @Test("survives every cut of a document")
    func survivesCuts() throws {
        let bytes = Array(#"{"name":"\u00e9\"x","list":[1,-2.5e3,true,null],"map":{"k":"v"}}"#.utf8)

        for end in 0..<bytes.count {
            #expect(throws: JSONError.self) { try JSONValue.parse(Array(bytes[..<end])) }
        }
        _ = try JSONValue.parse(bytes)
    }
}
