import Contract
import Testing

@Suite("JSON that is kept as it came")
struct RawJSONTests {
    /// Spellings that reading and writing would change.
    private static let odd = #"{ "n" : 1.50e+02, "big":12345678901234567890123 ,"s":"\u0041\ud800\/<", "e":[ ] }"#

    @Test("keeps the bytes of a field, from its first to its last")
    func keepsFields() throws {
        let text = #"{"before":0, "state" :  \#(Self.odd)  , "after":1}"#

        let fields = try WireFields(JSONValue.parse(Array(text.utf8)), at: .root)

        #expect(fields.raw("state")?.text == Self.odd)
        #expect(fields.raw("after")?.text == "1")
        #expect(fields.raw("nothing") == nil)
    }

    @Test("keeps a scalar with half a surrogate pair")
    func keepsScalars() throws {
        let fields = try WireFields(JSONValue.parse(Array(#"{"a": "\uDC00" ,"b":-0.0}"#.utf8)), at: .root)

        #expect(fields.raw("a")?.text == #""\uDC00""#)
        #expect(fields.raw("b")?.text == "-0.0")
    }

    @Test("keeps the values of a map and the objects of a list")
    func keepsMembers() throws {
        let text = #"{"map":{"x":\#(Self.odd),"y":null},"list":[\#(Self.odd), [ 1 ]]}"#

        let fields = try WireFields(JSONValue.parse(Array(text.utf8)), at: .root)
        let map = try fields.rawMap("map")
        let list = try fields.list("list", of: RawJSON.self)

        #expect(map?["x"]?.text == Self.odd)
        #expect(map?["y"] == .null)
        #expect(list?.map(\.text) == [Self.odd, "[1]"])
    }

    @Test("takes null for a field as absent")
    func takesNullAsAbsent() throws {
        let fields = try WireFields(JSONValue.parse(Array(#"{"a":null}"#.utf8)), at: .root)

        #expect(fields.raw("a") == nil)
        #expect(try fields.rawMap("a") == nil)
    }

    @Test("is written as it is")
    func writesVerbatim() throws {
        let raw = try RawJSON(checking: Array("  \(Self.odd)\n".utf8))

        var json = JSONWriter()
        json.beginArray()
        json.raw(raw)
        json.raw(.null)
        json.endArray()

        #expect(String(decoding: try json.finish(), as: UTF8.self) == "[\(Self.odd),null]")
    }

    @Test("is checked when it comes from elsewhere", arguments: ["", "{", "1 2", "{\"a\":1,\"a\":2}", "nul"])
    func isChecked(text: String) {
        #expect(throws: JSONError.self) { try RawJSON(checking: Array(text.utf8)) }
    }

    @Test("is made from a value or by a closure, and can be looked into")
    func isMade() throws {
        let made = try RawJSON { json in
            json.beginArray()
            json.integer(1)
            json.endArray()
        }

        #expect(made.text == "[1]")
        #expect(try made.parsed() == .array([.number("1")]))
        #expect(RawJSON(.object(JSONObject([("a", .string("é"))]))).text == #"{"a":"é"}"#)
        #expect(throws: JSONWriter.Failure()) { try RawJSON { $0.double(.nan) } }
    }
}
