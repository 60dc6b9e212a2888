import Foundation
import JSONScan
import NoiseTestKit
import Testing

@Suite("Walking over checked text")
struct JSONWalkTests {
    @Test("members come in order with their ranges, duplicates included")
    func members() {
        let text = ArraySlice("..{ \"a\" : 1, \"b\\\"c\":[{\"x\":\"]}\"}],\"a\":\"}\",\"\":{} }".utf8).dropFirst(2)

        let found = JSONMembers(of: text).map { member in
            "\(String(decoding: text[member.key], as: UTF8.self))=\(String(decoding: text[member.value], as: UTF8.self))"
        }

        #expect(found == ["a=1", "b\\\"c=[{\"x\":\"]}\"}]", "a=\"}\"", "={}"])
        #expect(
            JSONMembers(of: text).first { _ in true }.map { String(decoding: text[$0.whole], as: UTF8.self) }
                == "\"a\" : 1"
        )
    }

    @Test("elements come in order with their ranges")
    func elements() {
        let text = bytes("[1, \"a,b\" ,[2,3],{\"x\":[4]} , null,-1.5e3]")

        let found = JSONElements(of: text).map { String(decoding: text[$0], as: UTF8.self) }

        #expect(found == ["1", "\"a,b\"", "[2,3]", "{\"x\":[4]}", "null", "-1.5e3"])
    }

    @Test("other values have neither", arguments: ["", "1", "null", "\"{}\"", "{}", "[]", " { } ", "[ ]"])
    func none(text: String) {
        #expect(JSONMembers(of: bytes(text)).map(\.value).isEmpty)
        #expect(JSONElements(of: bytes(text)).map(\.self).isEmpty)
    }

    @Test("text that was not checked ends the walk and harms nothing")
    func unchecked() {
        let text = Array(#"{"a":[1,{"b":"c\""}],"d":{"e":null},"f":tru}"#.utf8)
        for seed in 0..<2_000 as Range<UInt64> {
            var noise = Noise(seed: seed)
            var broken = text
            for _ in 0..<3 {
                broken[Int.random(in: 0..<broken.count, using: &noise)] = UInt8.random(in: 0...127, using: &noise)
            }
            let slice = broken.prefix(Int.random(in: 0...broken.count, using: &noise))
            for member in JSONMembers(of: slice) {
                #expect(member.whole.lowerBound >= slice.startIndex && member.whole.upperBound <= slice.endIndex)
            }
            for element in JSONElements(of: slice) { #expect(element.upperBound <= slice.endIndex) }
            #expect(JSONTokens(of: slice).map(\.self).count <= slice.count)
        }
    }

    @Test("tokens come flat and in order")
    func tokens() {
        let text = bytes(#"{"a" : [1,"b",{}],"c":null}"#)

        let found = JSONTokens(of: text).map { token in
            switch token {
            case .objectBegan: "{"
            case .objectEnded: "}"
            case .arrayBegan: "["
            case .arrayEnded: "]"
            case .key(let range): "key \(String(decoding: text[range], as: UTF8.self))"
            case .string(let range), .scalar(let range): String(decoding: text[range], as: UTF8.self)
            }
        }

        #expect(found == ["{", "key \"a\"", "[", "1", "\"b\"", "{", "}", "]", "key \"c\"", "null", "}"])
    }
}

@Suite("Text of JSON strings")
struct JSONTextTests {
    @Test(
        "is decoded",
        arguments: [
            ("plain", "plain"), (#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"), (#"\u00e9\u20ac\ud83d\ude00"#, "é€😀"),
            (#"a\u0000b"#, "a\u{0}b"), ("", ""), (#"\u003c\u2028"#, "<\u{2028}"),
        ]
    )
    func decodes(contents: String, text: String) {
        #expect(JSONText.decode(bytes(contents)).elementsEqual(text.utf8))
    }

    @Test(
        "is encoded like the CLI does it",
        arguments: [
            ("plain", #""plain""#), ("\"\\/", #""\"\\/""#),
            ("\u{8}\u{c}\n\r\t\u{1}\u{1f}", #""\b\f\n\r\t\u0001\u001f""#),
            ("<a>&é😀", #""\u003ca\u003e\u0026é😀""#), ("\u{2028}\u{2029}\u{2027}", "\"\\u2028\\u2029\u{2027}\""),
            ("", "\"\""),
        ]
    )
    func encodes(text: String, json: String) {
        #expect(String(decoding: JSONText.encode(text), as: UTF8.self) == json)
    }

    @Test(
        "keeps lone surrogates",
        arguments: [#"\ud800"#, #"\udfff"#, #"a\ud83dz"#, #"\ud800\ud800"#, #"\ude00\ud83d"#]
    )
    func surrogates(contents: String) {
        let decoded = JSONText.decode(bytes(contents))

        #expect(JSONText.encode(decoded).elementsEqual("\"\(contents)\"".utf8))
    }

    @Test("survives both ways like Foundation says")
    func differential() throws {
        for seed in 0..<300 as Range<UInt64> {
            var noise = Noise(seed: seed)
            let pool: [UInt32] = [
                0x22, 0x5c, 0x2f, 0x08, 0x0a, 0x3c, 0x26, 0x61, 0xe9, 0x2028, 0x2029, 0x20ac, 0x1f600, 0x0,
            ]
            let scalars = (0..<12).compactMap { _ in UnicodeScalar(pool.randomElement(using: &noise) ?? 0) }
            let text = String(String.UnicodeScalarView(scalars))

            let json = JSONText.encode(text)

            let decoded = try JSONSerialization.jsonObject(with: Data(json), options: .fragmentsAllowed) as? String
            #expect(decoded.map { Array($0.unicodeScalars) } == scalars, "seed \(seed)")
            #expect(JSONText.decode(json[1..<(json.count - 1)]).elementsEqual(text.utf8), "seed \(seed)")
        }
    }
}

@Suite("Single JSON values")
struct JSONScalarTests {
    @Test(
        "integers are digits only and fit 64 bits",
        arguments: [
            ("0", 0), ("-0", 0), ("17", 17), ("-5", -5), ("9223372036854775807", .max), ("-9223372036854775808", .min),
            ("9223372036854775808", nil), ("-9223372036854775809", nil), ("1.0", nil), ("1e3", nil), ("\"1\"", nil),
            ("", nil),
            ("-", nil), ("99999999999999999999", nil), ("null", nil),
        ] as [(String, Int64?)]
    )
    func integers(text: String, value: Int64?) {
        #expect(JSONScalar.integer(bytes(text)) == value)
    }

    @Test("strings, booleans and null are told apart")
    func kinds() {
        #expect(JSONScalar.string(bytes("\"a\\n\"")).map(Array.init) == Array("a\n".utf8))
        #expect(JSONScalar.string(bytes("a")) == nil)
        #expect(JSONScalar.string(bytes("\"")) == nil)
        #expect(JSONScalar.boolean(bytes("true")) == true)
        #expect(JSONScalar.boolean(bytes("false")) == false)
        #expect(JSONScalar.boolean(bytes("\"true\"")) == nil)
        #expect(JSONScalar.isNull(bytes("null")))
        #expect(!JSONScalar.isNull(bytes("\"null\"")))
    }

    @Test(
        "containers are filled or not",
        arguments: [("[]", false), ("{ }", false), ("[ 0]", true), ("{\"a\":1}", true), ("1", false), ("\"x\"", false)]
    )
    func filled(text: String, isFilled: Bool) {
        #expect(JSONScalar.isFilled(bytes(text)) == isFilled)
    }
}
