package import Contract

/// A JSON value as tests look at it: what is not there is nil all the way down.
package struct JSONView: Sendable, Equatable, CustomStringConvertible {
    /// Nil where there is nothing.
    package let value: JSONValue?

    package init(_ value: JSONValue?) {
        self.value = value
    }

    /// Reads a JSON text.
    package init(_ bytes: [UInt8]) throws {
        value = try JSONValue.parse(bytes)
    }

    package subscript(name: String) -> JSONView {
        guard case .object(let object) = value else { return JSONView(nil) }
        return JSONView(object[name])
    }

    package subscript(index: Int) -> JSONView {
        let elements = array
        return elements.indices.contains(index) ? elements[index] : JSONView(nil)
    }

    package var exists: Bool { value != nil }
    package var isNull: Bool { value == JSONValue.null }

    package var string: String? {
        if case .string(let text) = value { text } else { nil }
    }

    package var int: Int? {
        if case .number(let text) = value { Int(text) } else { nil }
    }

    package var bool: Bool? {
        if case .bool(let flag) = value { flag } else { nil }
    }

    /// The elements; none for anything that is no list.
    package var array: [JSONView] {
        if case .array(let elements) = value { elements.map(JSONView.init) } else { [] }
    }

    /// The members' names in their order; none for anything that is no object.
    package var names: [String] {
        if case .object(let object) = value { object.members.map(\.name) } else { [] }
    }

    /// The members as texts; nil unless it is an object of texts only.
    package var strings: [String: String]? {
        guard case .object(let object) = value else { return nil }
        var strings: [String: String] = [:]
        for member in object.members {
            guard case .string(let text) = member.value else { return nil }
            strings[member.name] = text
        }
        return strings
    }

    package var description: String {
        value.map { "\($0)" } ?? "nothing"
    }
}
