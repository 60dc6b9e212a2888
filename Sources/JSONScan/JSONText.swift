/// JSON's string encoding, both ways, over bytes.
///
/// A lone surrogate escape (`\ud800`) has no UTF-8. It decodes to the three bytes that UTF-8 would use if it were
/// allowed, and encodes back to the escape, so that no text is lost or confused with another.
package enum JSONText {
    /// The text between the quotes of a valid JSON string.
    ///
    /// Without escapes this is the slice itself.
    package static func decode(_ contents: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard hasEscapes(contents) else { return contents }
        var result: [UInt8] = []
        result.reserveCapacity(contents.count)
        var index = contents.startIndex
        while index < contents.endIndex {
            let byte = contents[index]
            index += 1
            guard byte == UInt8(ascii: "\\"), index < contents.endIndex else {
                result.append(byte)
                continue
            }
            let kind = contents[index]
            index += 1
            switch kind {
            case UInt8(ascii: "b"): result.append(8)
            case UInt8(ascii: "f"): result.append(12)
            case UInt8(ascii: "n"): result.append(10)
            case UInt8(ascii: "r"): result.append(13)
            case UInt8(ascii: "t"): result.append(9)
            case UInt8(ascii: "u"): appendScalar(escapedScalar(contents, &index), to: &result)
            default: result.append(kind)
            }
        }
        return result[...]
    }

    /// `text` as a JSON string with quotes, with the escapes that the CLI's encoder writes (§2.5).
    package static func encode(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = [UInt8(ascii: "\"")]
        result.reserveCapacity(text.count + 2)
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): result += [UInt8(ascii: "\\"), byte]
            case 8: result += Array(#"\b"#.utf8)
            case 9: result += Array(#"\t"#.utf8)
            case 10: result += Array(#"\n"#.utf8)
            case 12: result += Array(#"\f"#.utf8)
            case 13: result += Array(#"\r"#.utf8)
            case 0..<0x20, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"):
                appendEscape(UInt32(byte), to: &result)
            case 0xe2 where text[index...].starts(with: [0x80, 0xa8]),
                0xe2 where text[index...].starts(with: [0x80, 0xa9]):
                appendEscape(0x2000 | UInt32(text[index + 1]) & 0x3f, to: &result)
                index += 2
            case 0xed where index + 1 < text.endIndex && text[index] >= 0xa0:
                appendEscape(0xd000 | UInt32(text[index] & 0x3f) << 6 | UInt32(text[index + 1] & 0x3f), to: &result)
                index += 2
            default: result.append(byte)
            }
        }
        result.append(UInt8(ascii: "\""))
        return result
    }

    package static func encode(_ text: String) -> [UInt8] {
        encode(ArraySlice(Array(text.utf8)))
    }

    /// Whether a string's characters hold a backslash.
    package static func hasEscapes(_ contents: ArraySlice<UInt8>) -> Bool {
        hasEscapes(contents.span)
    }

    /// Whether a string's characters hold a backslash.
    package static func hasEscapes(_ bytes: Span<UInt8>) -> Bool {
        ByteSearch.quoteOrBackslash(bytes, from: 0) < bytes.count
    }

    static func hexValue(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte) - 0x30
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte) - 0x61 + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte) - 0x41 + 10
        default: nil
        }
    }

    /// The value of `\uXXXX`, or of two of them that make a surrogate pair; `index` is behind the `u`.
    private static func escapedScalar(_ text: ArraySlice<UInt8>, _ index: inout Int) -> UInt32 {
        let first = fourDigits(text, &index)
        guard (0xd800..<0xdc00).contains(first), text[index...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")])
        else {
            return first
        }
        var next = index + 2
        let second = fourDigits(text, &next)
        guard (0xdc00..<0xe000).contains(second) else { return first }
        index = next
        return 0x10000 + (first & 0x3ff) << 10 + second & 0x3ff
    }

    private static func fourDigits(_ text: ArraySlice<UInt8>, _ index: inout Int) -> UInt32 {
        var value: UInt32 = 0
        let end = min(index + 4, text.endIndex)
        while index < end {
            value = value << 4 | (hexValue(text[index]) ?? 0)
            index += 1
        }
        return value
    }

    private static func appendScalar(_ value: UInt32, to result: inout [UInt8]) {
        let tail = { (shift: UInt32) in UInt8(0x80 | value >> shift & 0x3f) }
        switch value {
        case 0..<0x80: result.append(UInt8(value))
        case 0x80..<0x800: result += [UInt8(0xc0 | value >> 6), tail(0)]
        case 0x800..<0x10000: result += [UInt8(0xe0 | value >> 12), tail(6), tail(0)]
        default: result += [UInt8(0xf0 | value >> 18), tail(12), tail(6), tail(0)]
        }
    }

    private static func appendEscape(_ value: UInt32, to result: inout [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        result += [UInt8(ascii: "\\"), UInt8(ascii: "u")]
        for shift in [12, 8, 4, 0] as [UInt32] { result.append(digits[Int(value >> shift & 15)]) }
    }
}
