package import Kernel

/// A type that is read from a request.
///
/// Reading is lenient about what is there too much and strict about what is there: a value of the wrong type is refused by
/// name. Operations that refuse unknown fields ask `JSONValue.unknownField` afterwards. A member that is `null` counts as absent, because one of the clients sends null
/// for everything that is not set.
package protocol WireDecodable: OperationBody {
    init(wire value: JSONValue, at path: FieldPath) throws(WireError)
}

/// A type that is written into an answer.
package protocol WireEncodable: OperationOutput {
    func write(to json: inout JSONWriter)
}

/// A word of a closed list, which reads any word.
///
/// What is not in the list becomes the type's `unknown` case; the rule that meets it decides what that means.
package protocol WireWord: WireDecodable {
    init(rawValue: String)
    var rawValue: String { get }
}

extension WireWord {
    @_semantics("optimize.sil.specialize.generic.never")
    package init(wire value: JSONValue, at path: FieldPath) throws(WireError) {
        self.init(rawValue: try String(wire: value, at: path))
    }
}

// MARK: - Values

extension JSONValue: WireDecodable, WireEncodable {
    package init(wire value: JSONValue, at path: FieldPath) {
        self = value
    }

    package func write(to json: inout JSONWriter) {
        switch self {
        case .null: json.null()
        case .bool(let value): json.bool(value)
        case .number(let text): json.number(text)
        case .string(let text): json.string(text)
        case .array(let elements): elements.write(to: &json)
        case .object(let object):
            json.beginObject()
            for member in object.members {
                json.name(member.name)
                member.value.write(to: &json)
            }
            json.endObject()
        }
    }
}

extension RawJSON: WireDecodable, WireEncodable {
    package init(wire value: JSONValue, at path: FieldPath) {
        self.init(value)
    }

    package func write(to json: inout JSONWriter) {
        json.raw(self)
    }
}

extension String: WireDecodable, WireEncodable {
    package init(wire value: JSONValue, at path: FieldPath) throws(WireError) {
        guard case .string(let text) = value else {
            throw .mismatch(path, takes: "a string", found: value.kind)
        }
        self = text
    }

    package func write(to json: inout JSONWriter) {
        json.string(self)
    }
}

extension Bool: WireDecodable, WireEncodable {
    package init(wire value: JSONValue, at path: FieldPath) throws(WireError) {
        guard case .bool(let flag) = value else {
            throw .mismatch(path, takes: "a boolean", found: value.kind)
        }
        self = flag
    }

    package func write(to json: inout JSONWriter) {
        json.bool(self)
    }
}

extension Int: WireDecodable, WireEncodable {
    /// Plain digits only: `1.0` and `1e3` are refused, as every client does.
    package init(wire value: JSONValue, at path: FieldPath) throws(WireError) {
        guard case .number(let text) = value else {
            throw .mismatch(path, takes: "an integer", found: value.kind)
        }
        guard let number = Int(text) else {
            let isWhole = text.utf8.allSatisfy { $0 == UInt8(ascii: "-") || $0 <= UInt8(ascii: "9") && $0 != 0x2E }
            throw .mismatch(path, takes: "an integer", found: isWhole ? "a number out of range" : "another number")
        }
        self = number
    }

    package func write(to json: inout JSONWriter) {
        json.integer(self)
    }
}

extension Double: WireDecodable, WireEncodable {
    package init(wire value: JSONValue, at path: FieldPath) throws(WireError) {
        guard case .number(let text) = value else {
            throw .mismatch(path, takes: "a number", found: value.kind)
        }
        guard let number = Double(text), number.isFinite else {
            throw .mismatch(path, takes: "a number", found: "a number out of range")
        }
        self = number
    }

    package func write(to json: inout JSONWriter) {
        json.double(self)
    }
}

extension Timestamp: WireDecodable, WireEncodable {
    package init(wire value: JSONValue, at path: FieldPath) throws(WireError) {
        guard case .string(let text) = value else {
            throw .mismatch(path, takes: "a time (RFC 3339)", found: value.kind)
        }
        guard let time = Timestamp(rfc3339: text) else {
            throw .mismatch(path, takes: "a time (RFC 3339)", found: "another string")
        }
        self = time
    }

    package func write(to json: inout JSONWriter) {
        json.string(rfc3339)
    }
}

// MARK: - Lists and maps

// Generic code of this module is compiled once, not once more for each of the hundreds of generated types: that is what
// the attribute below and elsewhere in this folder says. It takes about a third off machine code and compile time; a
// call through a witness table is nothing beside the JSON it reads or writes.

extension Array: WireDecodable, OperationBody where Element: WireDecodable {
    @_semantics("optimize.sil.specialize.generic.never")
    package init(wire value: JSONValue, at path: FieldPath) throws(WireError) {
        guard case .array(let values) = value else {
            throw .mismatch(path, takes: "a list", found: value.kind)
        }
        var elements: [Element] = []
        elements.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            elements.append(try Element(wire: value, at: .index(index, in: path)))
        }
        self = elements
    }
}

extension Array: WireEncodable, OperationOutput where Element: WireEncodable {
    @_semantics("optimize.sil.specialize.generic.never")
    package func write(to json: inout JSONWriter) {
        json.beginArray()
        for element in self {
            element.write(to: &json)
        }
        json.endArray()
    }
}

extension Dictionary: WireDecodable, OperationBody where Key == String, Value: WireDecodable {
    @_semantics("optimize.sil.specialize.generic.never")
    package init(wire value: JSONValue, at path: FieldPath) throws(WireError) {
        guard case .object(let object) = value else {
            throw .mismatch(path, takes: "an object", found: value.kind)
        }
        self.init(minimumCapacity: object.count)
        for member in object.members {
            self[member.name] = try Value(wire: member.value, at: .field(member.name, in: path))
        }
    }
}

extension Dictionary: WireEncodable, OperationOutput where Key == String, Value: WireEncodable {
    /// Members are sorted by name, so that equal values have equal text.
    @_semantics("optimize.sil.specialize.generic.never")
    package func write(to json: inout JSONWriter) {
        json.beginObject()
        // Most maps of most answers are empty, and a sort costs even then.
        for name in isEmpty ? [] : keys.sorted() {
            json.name(name)
            self[name]?.write(to: &json)
        }
        json.endObject()
    }
}
// MARK: - Words and codes

/// A number of a closed list, which reads any integer; see `WireWord`.
package protocol WireCode: WireDecodable {
    init(rawValue: Int)
    var rawValue: Int { get }
}

extension WireCode {
    @_semantics("optimize.sil.specialize.generic.never")
    package init(wire value: JSONValue, at path: FieldPath) throws(WireError) {
        self.init(rawValue: try Int(wire: value, at: path))
    }
}

extension WireEncodable where Self: WireWord {
    @_semantics("optimize.sil.specialize.generic.never")
    package func write(to json: inout JSONWriter) {
        json.string(rawValue)
    }
}

extension WireEncodable where Self: WireCode {
    @_semantics("optimize.sil.specialize.generic.never")
    package func write(to json: inout JSONWriter) {
        json.integer(rawValue)
    }
}

extension WireEncodable where Self: RawRepresentable, RawValue == String {
    @_semantics("optimize.sil.specialize.generic.never")
    package func write(to json: inout JSONWriter) {
        json.string(rawValue)
    }
}

extension WireEncodable where Self: RawRepresentable, RawValue == Int {
    @_semantics("optimize.sil.specialize.generic.never")
    package func write(to json: inout JSONWriter) {
        json.integer(rawValue)
    }
}
