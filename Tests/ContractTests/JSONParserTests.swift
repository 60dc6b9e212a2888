import Contract
import Kernel
import Testing

@Suite("Reading JSON")
struct JSONParserTests {
    @Test(
        "takes every form of a value",
        arguments: [
            ("null", .null),
            ("true", .bool(true)),
            (" \t\r\nfalse \n", .bool(false)),
            ("0", .number("0")),
            ("-0", .number("-0")),
            ("-0.0", .number("-0.0")),
            ("12.50", .number("12.50")),
            ("1e5", .number("1e5")),
            ("1E+5", .number("1E+5")),
            ("0.1e-7", .number("0.1e-7")),
            ("123456789012345678901234567890", .number("123456789012345678901234567890")),
            (#""""#, .string("")),
            (#""\"\\\/\b\f\n\r\t""#, .string("\"\\/\u{8}\u{C}\n\r\t")),
            (#""\u0041\u00e9\u20AC\u0000""#, .string("Aé€\0")),
            (#""é€😀\u007f""#, .string("é€😀\u{7F}")),
            (#""\ud83d\ude00""#, .string("😀")),
            ("[]", .array([])),
            ("[ ]", .array([])),
            ("[1, [2 , null]]", .array([.number("1"), .array([.number("2"), .null])])),
            ("{}", .object(JSONObject([]))),
            ("{ }", .object(JSONObject([]))),
            (
                #"{"a" : 1 , "b":{"c":[]}}"#,
                .object(
                    JSONObject([
                        ("a", .number("1")), ("b", .object(JSONObject([("c", .array([]))]))),
                    ])
                )
            ),
            (#"{"":0}"#, .object(JSONObject([("", .number("0"))]))),
        ] as [(String, JSONValue)]
    )
    func takes(text: String, value: JSONValue) throws {
        #expect(try JSONValue.parse(Array(text.utf8)) == value)
    }

    @Test(
        "refuses what is not JSON, and says where",
        arguments: [
            ("", 0), (" ", 1), ("nul", 0), ("nulll", 4), ("True", 0), ("+1", 0), ("01", 1), ("-", 1), ("-a", 1),
            (".5", 0),
            ("1.", 2), ("1.e3", 2), ("1e", 2), ("1e+", 3), ("0x10", 1), ("NaN", 0), ("Infinity", 0), ("-Infinity", 1),
            ("'a'", 0), (#""a"#, 0), (#""\"#, 2), (#""\x""#, 1), (#""\u12""#, 1), (#""\u12G4""#, 1), (#""\U0041""#, 1),
            ("\"a\u{1}\"", 2), ("\"a\n\"", 2), ("\"a\tb\"", 2),
            ("[", 1), ("[1", 2), ("[1,", 3), ("[1,]", 3), ("[,1]", 1), ("[1 2]", 3), ("[1}", 2), ("]", 0), ("[1]]", 3),
            ("{", 1), ("{1:2}", 1), ("{a:1}", 1), (#"{"a"}"#, 4), (#"{"a":}"#, 5), (#"{"a":1,}"#, 7),
            (#"{"a":1 "b":2}"#, 7),
            (#"{"a" 1}"#, 5), (#"{"a":1]"#, 6), (#"{"a":1,,"b":2}"#, 7), ("1 2", 2), ("// x\n1", 0), ("/**/1", 0),
            ("\u{FEFF}1", 0), ("[1]\0", 3), ("\u{A0}1", 0), ("é", 0),
        ]
    )
    func refuses(text: String, offset: Int) {
        let error = #expect(throws: JSONError.self) { try JSONValue.parse(Array(text.utf8)) }

        #expect(error?.kind == .syntax)
        #expect(error?.offset == offset)
    }

    @Test(
        "refuses bytes that are not UTF-8, also behind an escape and in names",
        arguments: [
            [0x80], [0xC3], [0xC0, 0xAF], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF], [0xFE],
            [0xF0, 0x80, 0x80, 0x80], [0x5C, 0x6E, 0xFF],
        ] as [[UInt8]]
    )
    func refusesBadUTF8(bytes: [UInt8]) {
        let string = Array("\"".utf8) + bytes + Array("\"".utf8)
        let name = Array("{\"".utf8) + bytes + Array("\":1}".utf8)

        #expect(throws: JSONError(.syntax, at: 1, "a string is not valid UTF-8")) { try JSONValue.parse(string) }
        #expect(throws: JSONError(.syntax, at: 2, "a string is not valid UTF-8")) { try JSONValue.parse(name) }
    }

    @Test(
        "reads half a surrogate pair as U+FFFD where text is needed",
        arguments: [
            (#""\ud800""#, "\u{FFFD}"),
            (#""\udc00""#, "\u{FFFD}"),
            (#""\ud800x""#, "\u{FFFD}x"),
            (#""\ud800\n""#, "\u{FFFD}\n"),
            (#""\ud800\u0041""#, "\u{FFFD}A"),
            (#""\ud800\ud83d\ude00""#, "\u{FFFD}😀"),
            (#""\ude00\ud83d""#, "\u{FFFD}\u{FFFD}"),
        ]
    )
    func replacesHalfPairs(text: String, value: String) throws {
        #expect(try JSONValue.parse(Array(text.utf8)) == .string(value))
    }

    @Test("counts depth across lists and objects", arguments: [1, 2, 64])
    func limitsDepth(depth: Int) throws {
        let limits = JSONLimits(depth: depth)
        let fits = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let tooDeep = String(repeating: #"{"a":"#, count: depth) + "[]" + String(repeating: "}", count: depth)

        _ = try JSONValue.parse(Array(fits.utf8), limits: limits)
        let error = #expect(throws: JSONError.self) { try JSONValue.parse(Array(tooDeep.utf8), limits: limits) }

        #expect(error?.kind == .tooDeep)
        #expect(error?.offset == 5 * depth)
    }

    @Test("survives a text of nothing but brackets, whatever depth is asked for")
    func survivesBrackets() {
        let text = Array(String(repeating: "[", count: 1_000_000).utf8)

        let error = #expect(throws: JSONError.self) {
            try JSONValue.parse(text, limits: JSONLimits(depth: 1_000_000))
        }

        #expect(error?.kind == .tooDeep)
        #expect(error?.offset == JSONLimits.deepest)
    }

    @Test(
        "refuses a name that comes twice, in small objects and in large ones",
        arguments: [
            #"{"a":1,"a":1}"#,
            #"{"a":1,"b":2,"\u0061":3}"#,
            #"[{"x":{"y":1,"y":null}}]"#,
            "{\"é\":1,\"e\u{301}\":2}",
            "{\((0..<200).map { "\"k\($0)\":0" }.joined(separator: ",")),\"k0\":1}",
            "{\((0..<200).map { "\"k\($0)\":0" }.joined(separator: ",")),\"k199\":1}",
            "{\((0..<12).map { "\"k\($0)\":0" }.joined(separator: ",")),\"k11\":1}",
            "{\((0..<13).map { "\"k\($0)\":0" }.joined(separator: ",")),\"k12\":1}",
        ]
    )
    func refusesDuplicates(text: String) {
        let error = #expect(throws: JSONError.self) { try JSONValue.parse(Array(text.utf8)) }

        #expect(error?.kind == .duplicateName)
    }

    @Test(
        "finds every member of objects around the size at which they get an index",
        arguments: [0, 1, 11, 12, 13, 500]
    )
    func findsMembers(count: Int) throws {
        let text = "{\((0..<count).map { "\"k\($0)\":\($0)" }.joined(separator: ","))}"

        guard case .object(let object) = try JSONValue.parse(Array(text.utf8)) else {
            Issue.record("not an object")
            return
        }

        #expect(object.members.map(\.name) == (0..<count).map { "k\($0)" })
        for number in 0..<count {
            #expect(object["k\(number)"] == .number("\(number)"))
        }
        #expect(object["k\(count)"] == nil)
    }

    @Test("counts bytes, values and the length of numbers")
    func limitsSize() throws {
        let text = Array("[1,2,[3]]".utf8)
        _ = try JSONValue.parse(text, limits: JSONLimits(bytes: 9, values: 5, numberLength: 1))

        for limits in [JSONLimits(bytes: 8), JSONLimits(values: 4)] {
            let error = #expect(throws: JSONError.self) { try JSONValue.parse(text, limits: limits) }
            #expect(error?.kind == .tooLarge)
        }
        let error = #expect(throws: JSONError.self) {
            try JSONValue.parse(Array("[1.25]".utf8), limits: JSONLimits(numberLength: 3))
        }
        #expect(error == JSONError(.tooLarge, at: 1, "has a number of more than 3 characters"))
    }

    @Test("tells the client what was expected and what was found")
    func explains() {
        let error = #expect(throws: JSONError.self) { try JSONValue.parse(Array(#"{"a":1 "b":2}"#.utf8)) }
        let told = error.map { ServiceError($0) }

        #expect(told?.code == .invalidArgument)
        #expect(told?.message == "Bad Request: body: is not valid JSON: expected ',' or '}', found '\"' at byte 7")
        #expect(ServiceError(JSONError(.tooLarge, at: 9, "is longer than 9 bytes")).code == .tooLarge)
    }
}
