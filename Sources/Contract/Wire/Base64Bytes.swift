/// Bytes that travel as base64 text, in the standard alphabet and with padding.
///
/// The other alphabet, missing padding and line breaks are refused: no client writes them, and a ciphertext must have one
/// spelling only (`spec/cli-protocol.md` §2.6).
package struct Base64Bytes: Hashable, Sendable {
    package var bytes: [UInt8]

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads base64 text; nil for anything that is not its one right spelling.
    package init?(base64 text: String) {
        var utf8 = Array(text.utf8)
        guard utf8.count % 4 == 0 else { return nil }
        var padding = 0
        while padding < 2, utf8.last == UInt8(ascii: "=") {
            utf8.removeLast()
            padding += 1
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(utf8.count / 4 * 3 + 2)
        var bits: UInt32 = 0
        var held = 0
        for character in utf8 {
            guard let six = Self.value(character) else { return nil }
            bits = bits << 6 | UInt32(six)
            held += 6
            if held >= 8 {
                held -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
            }
        }
        // What is left of the last character must be zero, or the same bytes would have several spellings.
        guard bits & (1 << UInt32(held) - 1) == 0 else { return nil }
        self.bytes = bytes
    }

    package var base64: String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var position = 0
        while position < bytes.count {
            let count = min(3, bytes.count - position)
            var group: UInt32 = 0
            for offset in 0..<3 {
                group = group << 8 | (offset < count ? UInt32(bytes[position + offset]) : 0)
            }
            for digit in 0..<4 {
                let six = UInt8(group >> UInt32(18 - 6 * digit) & 0x3F)
                text.append(digit <= count ? Self.character(six) : UInt8(ascii: "="))
            }
            position += 3
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func value(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }

    private static func character(_ value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + value - 26
        case 52..<62: UInt8(ascii: "0") + value - 52
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }
}

extension Base64Bytes: WireDecodable, WireEncodable {
    package init(wire value: JSONValue, at path: FieldPath) throws(WireError) {
        guard case .string(let text) = value else {
            throw .mismatch(path, takes: "a base64 string", found: value.kind)
        }
        guard let bytes = Base64Bytes(base64: text) else {
            throw .mismatch(path, takes: "a base64 string", found: "another string")
        }
        self = bytes
    }

    package func write(to json: inout JSONWriter) {
        json.string(base64)
    }
}
