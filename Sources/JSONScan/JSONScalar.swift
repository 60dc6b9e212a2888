/// Readings of one JSON value out of its text.
///
/// Each answers nil when the value is of another kind.
package enum JSONScalar {
    /// The decoded characters of a string.
    package static func string(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard value.count >= 2, value.first == UInt8(ascii: "\""), value.last == UInt8(ascii: "\"") else { return nil }
        return JSONText.decode(value.dropFirst().dropLast())
    }

    /// A whole number written with digits only, as the CLI writes and reads integers.
    package static func integer(_ value: ArraySlice<UInt8>) -> Int64? { integer(value.span) }

    /// A whole number written with digits only, as the CLI writes and reads integers.
    package static func integer(_ value: Span<UInt8>) -> Int64? {
        let isNegative = !value.isEmpty && value[0] == UInt8(ascii: "-")
        let start = isNegative ? 1 : 0
        guard value.count > start, value.count - start <= 19 else { return nil }
        var result: Int64 = 0
        for index in start..<value.count {
            let byte = value[index]
            guard byte &- 0x30 < 10 else { return nil }
            let (product, overflow) = result.multipliedReportingOverflow(by: 10)
            let digit = Int64(byte - 0x30)
            let (sum, carry) =
                isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            guard !overflow, !carry else { return nil }
            result = sum
        }
        return result
    }

    package static func boolean(_ value: ArraySlice<UInt8>) -> Bool? {
        if value.elementsEqual("true".utf8) { return true }
        return value.elementsEqual("false".utf8) ? false : nil
    }

    package static func isNull(_ value: ArraySlice<UInt8>) -> Bool {
        value.elementsEqual("null".utf8)
    }

    /// Whether the value is an object or array that holds something.
    package static func isFilled(_ value: ArraySlice<UInt8>) -> Bool {
        switch value.first {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard let second = value.dropFirst().first(where: { $0 > 0x20 }) else { return false }
            return second != UInt8(ascii: "}") && second != UInt8(ascii: "]")
        default:
            return false
        }
    }
}
