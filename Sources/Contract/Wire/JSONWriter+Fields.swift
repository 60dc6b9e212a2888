package import Kernel

/// One call per field of a model. A field without a value is left out.
extension JSONWriter {
    package mutating func field(_ name: StaticString, string value: String?) {
        guard let value else { return }
        self.name(name)
        string(value)
    }

    package mutating func field(_ name: StaticString, integer value: Int?) {
        guard let value else { return }
        self.name(name)
        integer(value)
    }

    package mutating func field(_ name: StaticString, bool value: Bool?) {
        guard let value else { return }
        self.name(name)
        bool(value)
    }

    package mutating func field(_ name: StaticString, double value: Double?) {
        guard let value else { return }
        self.name(name)
        double(value)
    }

    package mutating func field(_ name: StaticString, time value: Timestamp?) {
        guard let value else { return }
        self.name(name)
        string(value.rfc3339)
    }

    package mutating func field(_ name: StaticString, raw value: RawJSON?) {
        guard let value else { return }
        self.name(name)
        raw(value)
    }

    package mutating func field<Value: WireEncodable>(_ name: StaticString, value: Value?) {
        guard let value else { return }
        self.name(name)
        value.write(to: &self)
    }

    package mutating func field<Element: WireEncodable>(_ name: StaticString, list value: [Element]?) {
        guard let value else { return }
        self.name(name)
        value.write(to: &self)
    }

    package mutating func field<Value: WireEncodable>(_ name: StaticString, map value: [String: Value]?) {
        guard let value else { return }
        self.name(name)
        value.write(to: &self)
    }
}
