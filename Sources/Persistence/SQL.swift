/// SQL text with its parameters.
///
/// An interpolated value becomes a parameter, an interpolated `SQL` becomes part of the text, so text can only come
/// from literals in the source: `"SELECT \(Self.columns) FROM stacks WHERE id = \(id)"`.
package struct SQL: Sendable, Hashable, ExpressibleByStringInterpolation {
    /// The text, with `?` where a parameter goes.
    package private(set) var text: String
    package private(set) var parameters: [SQLValue]

    package init(stringLiteral text: String) {
        self.text = text
        parameters = []
    }

    package init(stringInterpolation interpolation: Interpolation) {
        text = interpolation.text
        parameters = interpolation.parameters
    }

    /// Text that the source makes out of table and column names; only for the files of this module.
    init(unchecked text: String) {
        self.text = text
        parameters = []
    }

    /// A name of the schema that is only known at run time, as tests and tools need it.
    ///
    /// - Parameter name: letters, digits and `_` of ASCII, at most 64; anything else is a mistake of the caller.
    package init(identifier name: String) {
        let isPlain = name.utf8.allSatisfy { byte in
            (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte) || byte == 95
        }
        precondition(isPlain && (1...64).contains(name.utf8.count), "\(name) is not a name of the schema")
        text = name
        parameters = []
    }

    init(parameter value: SQLValue) {
        text = "?"
        parameters = [value]
    }

    package static func += (left: inout SQL, right: SQL) {
        left.text += right.text
        left.parameters += right.parameters
    }

    /// Joins parts with a separator, as in a list of conditions.
    package static func joined(_ parts: [SQL], by separator: SQL) -> SQL {
        var result: SQL = ""
        for (index, part) in parts.enumerated() {
            if index > 0 { result += separator }
            result += part
        }
        return result
    }

    package struct Interpolation: StringInterpolationProtocol, Sendable {
        fileprivate var text = ""
        fileprivate var parameters: [SQLValue] = []

        package init(literalCapacity: Int, interpolationCount: Int) {
            // Most are parameters, of one character; lists of columns are long.
            text.reserveCapacity(literalCapacity + interpolationCount * 48)
            parameters.reserveCapacity(interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) {
            text += literal
        }

        package mutating func appendInterpolation(_ value: some SQLConvertible) {
            text += "?"
            parameters.append(value.sqlValue)
        }

        /// Nil is NULL.
        package mutating func appendInterpolation(_ value: (some SQLConvertible)?) {
            text += "?"
            parameters.append(value?.sqlValue ?? .null)
        }

        package mutating func appendInterpolation(_ sql: SQL) {
            text += sql.text
            parameters += sql.parameters
        }

        /// A parenthesised list for `IN`; an empty one matches nothing.
        package mutating func appendInterpolation(list values: [some SQLConvertible]) {
            text +=
                values.isEmpty ? "(NULL)" : "(\(Array(repeating: "?", count: values.count).joined(separator: ", ")))"
            parameters += values.map(\.sqlValue)
        }
    }
}
