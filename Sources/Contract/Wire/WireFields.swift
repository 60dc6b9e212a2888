package import Kernel

/// The members of one object of a request, read by name; what is absent or `null` is nil.
///
/// None of it is inlined, since generated code calls it some thousand times.
package struct WireFields {
    private let object: JSONObject
    private let path: FieldPath

    package init(_ value: JSONValue, at path: FieldPath) throws(WireError) {
        guard case .object(let object) = value else {
            throw .mismatch(path, takes: "an object", found: value.kind)
        }
        self.object = object
        self.path = path
        object.setRead(true)
    }

    private func present(_ name: String) -> JSONValue? {
        guard let value = object.ask(name), !value.isNull else { return nil }
        return value
    }

    @inline(never)
    package func string(_ name: String) throws(WireError) -> String? {
        switch object.ask(name) {
        case .string(let text): return text
        case nil, .null: return nil
        case .some(let value): throw .mismatch(.field(name, in: path), takes: "a string", found: value.kind)
        }
    }

    @inline(never)
    package func bool(_ name: String) throws(WireError) -> Bool? {
        switch object.ask(name) {
        case .bool(let flag): return flag
        case nil, .null: return nil
        case .some(let value): throw .mismatch(.field(name, in: path), takes: "a boolean", found: value.kind)
        }
    }

    @inline(never)
    package func integer(_ name: String) throws(WireError) -> Int? {
        guard let value = present(name) else { return nil }
        return try Int(wire: value, at: .field(name, in: path))
    }

    @inline(never)
    package func double(_ name: String) throws(WireError) -> Double? {
        guard let value = present(name) else { return nil }
        return try Double(wire: value, at: .field(name, in: path))
    }

    @inline(never)
    package func time(_ name: String) throws(WireError) -> Timestamp? {
        guard let value = present(name) else { return nil }
        return try Timestamp(wire: value, at: .field(name, in: path))
    }

    /// A free-form value, byte for byte.
    @inline(never)
    package func raw(_ name: String) -> RawJSON? {
        guard present(name) != nil else { return nil }
        return object.raw(name)
    }

    /// Free-form values by name, each byte for byte.
    @inline(never)
    package func rawMap(_ name: String) throws(WireError) -> [String: RawJSON]? {
        guard let value = present(name) else { return nil }
        guard case .object(let map) = value else {
            throw .mismatch(.field(name, in: path), takes: "an object", found: value.kind)
        }
        var values: [String: RawJSON] = [:]
        for member in map.members {
            values[member.name] = map.raw(member)
        }
        return values
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package func value<Value: WireDecodable>(_ name: String, as type: Value.Type) throws(WireError) -> Value? {
        guard let value = present(name) else { return nil }
        return try Value(wire: value, at: .field(name, in: path))
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package func list<Element: WireDecodable>(_ name: String, of: Element.Type) throws(WireError) -> [Element]? {
        guard let value = present(name) else { return nil }
        return try [Element](wire: value, at: .field(name, in: path))
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package func map<Value: WireDecodable>(_ name: String, of: Value.Type) throws(WireError) -> [String: Value]? {
        guard let value = present(name) else { return nil }
        return try [String: Value](wire: value, at: .field(name, in: path))
    }

    /// The word that says which kind of object this is.
    ///
    /// The model of that kind reads the rest. For a kind that is not known there is none, so nothing can be said of its
    /// fields.
    @inline(never)
    package func discriminator(_ name: String) throws(WireError) -> String {
        let word = try required(name, try string(name))
        object.setRead(false)
        return word
    }

    /// A field that a model has and does not read, since its value follows from the type.
    @inline(never)
    package func passOver(_ name: String) {
        _ = object.ask(name)
    }

    /// A field that must be there.
    @_semantics("optimize.sil.specialize.generic.never")
    package func required<Value>(_ name: String, _ value: Value?) throws(WireError) -> Value {
        guard let value else { throw .missing(.field(name, in: path)) }
        return value
    }
}
