import Contract
import NoiseTestKit
import Testing

@Suite("Writing JSON")
struct JSONWriterTests {
    private func text(_ write: (inout JSONWriter) -> Void) throws -> String {
        var json = JSONWriter()
        write(&json)
        return String(decoding: try json.finish(), as: UTF8.self)
    }

    @Test("places commas by itself, at every level")
    func placesCommas() throws {
        let text = try text { json in
            json.beginObject()
            json.field("a", integer: 1)
            json.field("absent", string: nil)
            json.field("b", list: ["x", "y"])
            json.name("c")
            json.beginArray()
            json.beginObject()
            json.endObject()
            json.beginArray()
            json.endArray()
            json.null()
            json.bool(false)
            json.endArray()
            json.field("d", map: ["z": 1, "a": 2])
            json.endObject()
        }

        #expect(text == #"{"a":1,"b":["x","y"],"c":[{},[],null,false],"d":{"a":2,"z":1}}"#)
    }

    @Test(
        "escapes what JSON wants escaped and nothing else",
        arguments: [
            ("", #""""#),
            ("plain", #""plain""#),
            ("\"\\/", #""\"\\/""#),
            ("\u{8}\t\n\u{C}\r", #""\b\t\n\f\r""#),
            ("\u{0}\u{1}\u{F}\u{10}\u{1F}", #""\u0000\u0001\u000f\u0010\u001f""#),
            ("é€😀\u{7F}\u{2028}", "\"é€😀\u{7F}\u{2028}\""),
            ("a\"b\"c", #""a\"b\"c""#),
            ("more than fifteen bytes\nand a line", #""more than fifteen bytes\nand a line""#),
        ]
    )
    func escapes(value: String, expected: String) throws {
        #expect(try text { $0.string(value) } == expected)
        #expect(
            try text { json in
                json.beginObject()
                json.name(value)
                json.null()
                json.endObject()
            } == "{\(expected):null}"
        )
    }

    @Test("writes integers of every size", arguments: [0, 7, -1, 10, -10, 1_234_567, Int.max, Int.min])
    func writesIntegers(value: Int) throws {
        #expect(try text { $0.integer(value) } == "\(value)")
    }

    @Test(
        "writes the shortest text that reads back as the same number",
        arguments: [
            0, -0.0, 0.1, 1.0 / 3, 1e21, 1e-7, Double.leastNonzeroMagnitude, Double.greatestFiniteMagnitude, -2.5,
            123_456_789.125,
        ]
    )
    func writesDoubles(value: Double) throws {
        let text = try text { $0.double(value) }

        let read = try Double(wire: JSONValue.parse(Array(text.utf8)), at: .root)

        #expect(read.bitPattern == value.bitPattern)
        #expect(text == value.description)
    }

    @Test("fails where a number is none or is infinite", arguments: [Double.nan, .infinity, -.infinity])
    func refusesNotANumber(value: Double) {
        #expect(throws: JSONWriter.Failure()) {
            try text { json in
                json.beginObject()
                json.field("a", double: value)
                json.endObject()
            }
        }
    }

    @Test("writes a name of a single character")
    func writesShortNames() throws {
        #expect(
            try text { json in
                json.beginObject()
                json.field("q", integer: 1)
                json.endObject()
            } == #"{"q":1}"#
        )
    }

    @Test("writes values that read back equal", arguments: 0..<200)
    func roundTrips(seed: Int) throws {
        var generator = Noise(seed: UInt64(seed))
        let value = generator.value()

        let text = try text { value.write(to: &$0) }
        let read = try JSONValue.parse(Array(text.utf8))

        #expect(read == value)
        #expect(try self.text { read.write(to: &$0) } == text)
    }
}
