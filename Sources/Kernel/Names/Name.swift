/// A piece of text that was checked against a rule, once, where it came in.
///
/// A service never receives a raw `String` that has a rule. Equality is by bytes; case is kept.
package protocol Name: Hashable, Sendable, CustomStringConvertible, Comparable {
    /// What messages call it: the wire's name of the field.
    static var field: String { get }
    /// The rule in words, completing "must …".
    static var rule: String { get }
    static func accepts(_ text: String) -> Bool

    var rawValue: String { get }

    init(unchecked text: String)
}

extension Name {
    /// Checks `text`.
    ///
    /// - Throws: `.invalidArgument` naming the field and the rule.
    package init(_ text: String, field: String = Self.field) throws(ServiceError) {
        guard Self.accepts(text) else { throw .invalid(field, "must \(Self.rule)") }
        self.init(unchecked: text)
    }

    package var description: String { rawValue }

    package static func < (left: Self, right: Self) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// Sets of ASCII characters that names are made of.
enum NameRules {
    static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        default: false
        }
    }

    /// Length in bytes and every byte among letters, digits and `extra`.
    static func matches(_ text: String, length: ClosedRange<Int>, extra: StaticString) -> Bool {
        let bytes = text.utf8
        guard length.contains(bytes.count) else { return false }
        return extra.withUTF8Buffer { extra in
            bytes.allSatisfy { isLetterOrDigit($0) || extra.contains($0) }
        }
    }
}
