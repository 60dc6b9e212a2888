package import Kernel

/// One call per field of a model; a field without a value is left out.
///
/// None of it is inlined, since generated code calls it some thousand times.
extension JSONWriter {
    @inline(never)
    package mutating func field(_ name: StaticString, string value: String?) {
        guard let value else { return }
        self.name(name)
        string(value)
    }

    @inline(never)
    package mutating func field(_ name: StaticString, integer value: Int?) {
        guard let value else { return }
        self.name(name)
        integer(value)
    }

    @inline(never)
    package mutating func field(_ name: StaticString, bool value: Bool?) {
        guard let value else { return }
        self.name(name)
        bool(value)
    }

    @inline(never)
    package mutating func field(_ name: StaticString, double value: Double?) {
        guard let value else { return }
        self.name(name)
        double(value)
    }

    @inline(never)
    package mutating func field(_ name: StaticString, time value: Timestamp?) {
        guard let value else { return }
        self.name(name)
        string(value.rfc3339)
    }

    @inline(never)
    package mutating func field(_ name: StaticString, raw value: RawJSON?) {
        guard let value else { return }
        self.name(name)
        raw(value)
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package mutating func field<Value: WireEncodable>(_ name: StaticString, value: Value?) {
        guard let value else { return }
        self.name(name)
        value.write(to: &self)
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package mutating func field<Element: WireEncodable>(_ name: StaticString, list value: [Element]?) {
        guard let value else { return }
        self.name(name)
        value.write(to: &self)
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package mutating func field<Value: WireEncodable>(_ name: StaticString, map value: [String: Value]?) {
        guard let value else { return }
        self.name(name)
        value.write(to: &self)
    }
}
