import Contract
import Kernel
import Testing

@Suite("Reading requests")
struct WireDecodingTests {
    private func read<Model: WireDecodable>(_ type: Model.Type, _ text: String) throws -> Model {
        try Model.decode(JSONValue.parse(Array(text.utf8)))
    }

    @Test("takes absent and null fields as not set, and ignores unknown ones")
    func isLenient() throws {
        let absent = try read(AppStackRenameRequest.self, #"{"future":{"a":[1]},"NewName":"x"}"#)
        let null = try read(AppStackRenameRequest.self, #"{"newName":null,"newProject":null}"#)
        let set = try read(AppStackRenameRequest.self, #"{"newName":"","newProject":"site"}"#)

        #expect(absent.newName == nil && absent.newProject == nil)
        #expect(null.newName == nil && null.newProject == nil)
        #expect(set.newName == "" && set.newProject == "site")
    }

    @Test(
        "names the field, what it takes and what was found",
        arguments: [
            ("[]", "body", "takes an object, found a list"),
            (#"{"stackName":1}"#, "stackName", "takes a string, found a number"),
            (#"{"stackName":"a","tags":[]}"#, "tags", "takes an object, found a list"),
            (#"{"stackName":"a","tags":{"name":true}}"#, "tags.name", "takes a string, found a boolean"),
            (#"{"stackName":"a","tags":{"a.b":{}}}"#, #"tags["a.b"]"#, "takes a string, found an object"),
            (#"{"stackName":"a","tags":{"":null}}"#, #"tags[""]"#, "takes a string, found null"),
            (#"{"stackName":"a","teams":["x",null]}"#, "teams[1]", "takes a string, found null"),
            (#"{"stackName":"a","config":{"environment":[]}}"#, "config.environment", "takes a string, found a list"),
            (#"{"stackName":"a","config":{}}"#, "config.environment", nil),
            (#"{"teams":[]}"#, "stackName", nil),
            (#"{"stackName":null}"#, "stackName", nil),
        ]
    )
    func namesFields(text: String, field: String, problem: String?) {
        #expect(throws: WireError(field, problem)) { try read(AppCreateStackRequest.self, text) }
    }

    @Test("becomes an error of the service with the field in its details")
    func becomesServiceError() {
        let wrong = ServiceError(WireError("tags.name", "takes a string, found a number"))
        let missing = ServiceError(WireError("stackName", nil))

        #expect(wrong.code == .invalidArgument)
        #expect(wrong.message == "Bad Request: tags.name: takes a string, found a number")
        #expect(wrong.details.map(\.attribute) == ["tags.name"])
        #expect(missing.details.map(\.kind) == ["required"])
    }

    @Test("shortens long names from the client in messages")
    func shortensNames() {
        let path = FieldPath.field(String(repeating: "x", count: 5000), in: .field("tags", in: .root))

        #expect(path.description.utf8.count < 200)
    }

    @Test(
        "spells paths through lists of lists and bodies that are lists",
        arguments: [
            (FieldPath.root, "body"),
            (FieldPath.root.appending(3), "body[3]"),
            (FieldPath.root.appending("stacks").appending(3).appending("id"), "stacks[3].id"),
            (FieldPath.root.appending("m").appending(0).appending(1), "m[0][1]"),
            (FieldPath.root.appending("$defs"), "$defs"),
        ]
    )
    func spellsPaths(path: FieldPath, text: String) {
        #expect(path.description == text)
    }

    @Test(
        "takes integers as plain digits in range only",
        arguments: [
            ("1.0", "another number"), ("1e3", "another number"), ("1.5", "another number"), ("\"1\"", "a string"),
            ("9223372036854775808", "a number out of range"), ("-9223372036854775809", "a number out of range"),
            ("true", "a boolean"),
        ]
    )
    func readsIntegers(text: String, found: String) throws {
        #expect(try Int(wire: JSONValue.parse(Array("-9223372036854775808".utf8)), at: .root) == .min)
        #expect(throws: WireError("journalVersion", "takes an integer, found \(found)")) {
            try read(AppStartUpdateRequest.self, #"{"journalVersion":\#(text)}"#)
        }
    }

    @Test("reads times, and refuses other text")
    func readsTimes() throws {
        let time = try Timestamp(wire: .string("2030-01-02T03:04:05.678000+00:00"), at: .root)

        #expect(time.rfc3339 == "2030-01-02T03:04:05.678Z")
        #expect(throws: WireError("body", "takes a time (RFC 3339), found another string")) {
            try Timestamp(wire: .string("yesterday"), at: .root)
        }
        #expect(throws: WireError("body", "takes a time (RFC 3339), found a number")) {
            try Timestamp(wire: .number("1"), at: .root)
        }
    }

    @Test("refuses numbers that no double can hold")
    func readsDoubles() throws {
        #expect(try Double(wire: .number("-1.5e3"), at: .root) == -1500)
        #expect(throws: WireError("body", "takes a number, found a number out of range")) {
            try Double(wire: .number("1e999"), at: .root)
        }
    }

    @Test("says how a body arrives, by its type")
    func saysIntake() throws {
        #expect(AppCreateStackRequest.intake == .json)
        #expect([String: String].intake == .json)
        #expect(NoBody.intake == .none)
        #expect(RawJSONBody.intake == .rawJSON)
        #expect(RawBody.intake == .raw)
        #expect(try [String: String].decode(JSONValue.parse(Array(#"{"a":"b"}"#.utf8))) == ["a": "b"])
    }
}
