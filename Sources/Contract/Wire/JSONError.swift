/// Bounds on JSON text from outside (S-61 of the security page).
package struct JSONLimits: Sendable {
    /// The longest text, in bytes.
    package var bytes: Int
    /// How many objects and lists may stand inside each other.
    package var depth: Int
    /// How many values there may be in all; every value costs memory however short its text is.
    package var values: Int
    /// The longest number, in bytes.
    ///
    /// Numbers are kept as text.
    package var numberLength: Int

    package init(
        bytes: Int = 8 << 20,
        depth: Int = 64,
        values: Int = 1_000_000,
        numberLength: Int = 1000
    ) {
        self.bytes = bytes
        self.depth = min(depth, Self.deepest)
        self.values = values
        self.numberLength = numberLength
    }

    /// No text may be deeper, whatever a caller asks for: the parser recurs, and its threads have bounded stacks.
    package static let deepest = 512
}

/// Why a text is not JSON that we take.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    package enum Kind: Sendable {
        case syntax
        case tooLarge
        case tooDeep
        case duplicateName
    }

    package var kind: Kind
    /// Where the problem was seen, in bytes from the start of the text.
    package var offset: Int
    /// What is wrong, written for the client.
    package var problem: String

    package init(_ kind: Kind, at offset: Int, _ problem: String) {
        self.kind = kind
        self.offset = offset
        self.problem = problem
    }

    package var description: String {
        "is not valid JSON: \(problem) at byte \(offset)"
    }
}
