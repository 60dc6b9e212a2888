package import Kernel

/// Why a text is not JSON that we take, and where.
package struct ScanError: Error, Equatable {
    package enum Problem: Equatable, Sendable {
        /// A byte that cannot stand here.
        case unexpectedByte(UInt8)
        /// The text ends inside a value.
        case unexpectedEnd
        /// A string holds bytes that are not UTF-8.
        case invalidUTF8
        /// More containers inside each other than the limit.
        case tooDeep(limit: Int)
        /// A number with more digits than the limit.
        case numberTooLong(limit: Int)
        /// One value longer than the limit, in bytes.
        case valueTooLong(limit: Int)
        /// More white space in one place than the limit, in bytes.
        case blankTooLong(limit: Int)
        /// A key that must be unique occurs twice.
        case duplicateKey(String)
        /// The text is a JSON value, but not of the kind that must be here.
        case wrongKind(expected: String)
    }

    package var problem: Problem
    /// Offset in bytes from the beginning of the text.
    package var offset: Int

    package init(_ problem: Problem, at offset: Int) {
        self.problem = problem
        self.offset = offset
    }
}

extension ScanError: CustomStringConvertible {
    package var description: String {
        let what =
            switch problem {
            case .unexpectedByte(let byte) where (0x21...0x7e).contains(byte):
                "unexpected '\(Character(UnicodeScalar(byte)))'"
            case .unexpectedByte(let byte): "unexpected byte \(byte)"
            case .unexpectedEnd: "unexpected end"
            case .invalidUTF8: "text that is not UTF-8"
            case .tooDeep(let limit): "nesting deeper than \(limit)"
            case .numberTooLong(let limit): "a number longer than \(limit) characters"
            case .valueTooLong(let limit): "a value longer than \(limit) bytes"
            case .blankTooLong(let limit): "more than \(limit) bytes of white space"
            case .duplicateKey(let key): "the key '\(key)' occurs twice"
            case .wrongKind(let expected): "\(expected) expected"
            }
        return "\(what) at byte \(offset)"
    }

    /// The refusal a client sees.
    package var serviceError: ServiceError {
        switch problem {
        case .valueTooLong, .blankTooLong:
            ServiceError(.tooLarge, "Content Too Large: \(self)", cause: self)
        default:
            ServiceError(.invalidArgument, "Bad Request: invalid JSON: \(self)", cause: self)
        }
    }
}
