import Contract
import Testing

@Suite("Fields that a request has and its model has not")
struct UnknownFieldTests {
    private struct Model: WireDecodable {
        let name: String?
        let inner: Indirect<Model>?
        let list: [Model]?
        let map: [String: Model]?
        let free: RawJSON?
        let freeMap: [String: RawJSON]?
        let pet: Pet?

        init(wire value: JSONValue, at path: FieldPath) throws(WireError) {
            let fields = try WireFields(value, at: path)
            name = try fields.string("name")
            inner = try fields.value("inner", as: Indirect<Model>.self)
            list = try fields.list("list", of: Model.self)
            map = try fields.map("map", of: Model.self)
            free = fields.raw("free")
            freeMap = try fields.rawMap("freeMap")
            pet = try fields.value("pet", as: Pet.self)
        }
    }

    /// As the generator writes a union.
    private enum Pet: WireDecodable {
        case cat(Cat)
        case unknown(String)

        init(wire value: JSONValue, at path: FieldPath) throws(WireError) {
            let kind = try WireFields(value, at: path).discriminator("kind")
            self = kind == "cat" ? .cat(try Cat(wire: value, at: path)) : .unknown(kind)
        }
    }

    private struct Cat: WireDecodable {
        let lives: Int?

        init(wire value: JSONValue, at path: FieldPath) throws(WireError) {
            let fields = try WireFields(value, at: path)
            fields.passOver("kind")
            lives = try fields.integer("lives")
        }
    }

    private struct Empty: WireDecodable {
        init(wire value: JSONValue, at path: FieldPath) throws(WireError) {
            _ = try WireFields(value, at: path)
        }
    }

    private func unknown<Body: WireDecodable>(_ type: Body.Type, in text: String) throws -> String? {
        let value = try JSONValue.parse(Array(text.utf8))
        _ = try Body.decode(value)
        return value.unknownField()?.description
    }

    @Test(
        "are found wherever they are, the first one first",
        arguments: [
            (#"{"other":1,"next":2}"#, "other"),
            (#"{"name":"a","Name":"b"}"#, "Name"),
            (#"{"name":"a","other":null}"#, "other"),
            (#"{"":1}"#, #"[""]"#),
            (#"{"inner":{"inner":{"other":1}}}"#, "inner.inner.other"),
            (#"{"list":[{},{"name":"a","x y":1}]}"#, #"list[1]["x y"]"#),
            (#"{"map":{"k":{"other":[]}}}"#, "map.k.other"),
            (#"{"pet":{"kind":"cat","tail":1}}"#, "pet.tail"),
        ]
    )
    func find(text: String, path: String) throws {
        #expect(try unknown(Model.self, in: text) == path)
    }

    @Test(
        "are none where every field is known, empty, a key of a map or free-form",
        arguments: [
            "{}", #"{"name":null,"inner":null,"list":null}"#, #"{"list":[],"map":{},"inner":{}}"#,
            #"{"free":{"any":{"thing":1}},"freeMap":{"k":{"x":[{}]}}}"#, #"{"map":{"any":{},"key":{}}}"#,
            #"{"pet":{"lives":9,"kind":"cat"}}"#, #"{"pet":{"kind":"dog","bark":{"loud":true}}}"#,
        ]
    )
    func none(text: String) throws {
        #expect(try unknown(Model.self, in: text) == nil)
    }

    @Test("are all of a model that has none, and none of what no model reads")
    func ends() throws {
        #expect(try unknown(Empty.self, in: #"{"a":1}"#) == "a")
        #expect(try unknown(Empty.self, in: "{}") == nil)
        #expect(try unknown(Cat.self, in: #"{"kind":"cat"}"#) == nil)
        #expect(try unknown(JSONValue.self, in: #"{"a":{"b":1}}"#) == nil)
        #expect(try unknown([Cat].self, in: #"[{"lives":9},{"paws":4}]"#) == "body[1].paws")
        #expect(try unknown([String: Cat].self, in: #"{"tom":{"lives":9},"kitty":{}}"#) == nil)
    }

    @Test("are found in objects of any size, whatever the place", arguments: [1, 12, 13, 62, 63, 64, 65, 500])
    func size(count: Int) throws {
        let known = #""name":"a","inner":{}"#
        let unknown = (0..<count).map { "\"x\($0)\":0" }.joined(separator: ",")

        #expect(try self.unknown(Model.self, in: "{\(known),\(unknown)}") == "x0")
        #expect(try self.unknown(Model.self, in: "{\(unknown),\(known)}") == "x0")
    }
}
