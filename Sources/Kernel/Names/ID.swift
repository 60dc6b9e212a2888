/// The identity of one `Entity`, as a UUID that never changes and is never used again.
///
/// New ids are of version 7 (RFC 9562), so that they sort by age and an index over them stays compact. On the wire and
/// in every database they are lower-case UUID text.
package struct ID<Entity>: Hashable, Comparable, Sendable, CustomStringConvertible {
    private let high: UInt64
    private let low: UInt64

    /// A new id.
    ///
    /// - Parameter random: 10 random bytes or more; the first 10 are used.
    package init(at now: Timestamp, random: [UInt8]) {
        precondition(random.count >= 10, "an id needs 10 random bytes")
        let first = UInt16(random[0]) << 8 | UInt16(random[1])
        self.init(at: now, random: (first, random[2..<10].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }))
    }

    /// A new id from random bits at hand: 12 of the first and 62 of the second are used.
    package init(at now: Timestamp, random: (UInt16, UInt64)) {
        let milliseconds = UInt64(max(0, now.microseconds / 1000)) & 0xFFFF_FFFF_FFFF
        high = milliseconds << 16 | 0x7000 | UInt64(random.0) & 0x0FFF
        low = 0x8000_0000_0000_0000 | random.1 & 0x3FFF_FFFF_FFFF_FFFF
    }

    /// Reads UUID text in either case; nil for anything else.
    package init?(_ text: String) {
        self.init(text.utf8.span)
    }

    /// Reads the UTF-8 of UUID text in either case; nil for anything else.
    package init?(_ text: Span<UInt8>) {
        guard text.count == 36, text[8] == Self.dash, text[13] == Self.dash, text[18] == Self.dash,
            text[23] == Self.dash, let first = Self.number(text, 0..<8), let second = Self.number(text, 9..<13),
            let third = Self.number(text, 14..<18), let fourth = Self.number(text, 19..<23),
            let fifth = Self.number(text, 24..<36)
        else { return nil }
        high = first << 32 | second << 16 | third
        low = fourth << 48 | fifth
    }

    private static var dash: UInt8 { UInt8(ascii: "-") }

    /// The value of hexadecimal digits.
    private static func number(_ text: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        var number: UInt64 = 0
        for index in range {
            guard let digit = hexDigit(text[index]) else { return nil }
            number = number << 4 | digit
        }
        return number
    }

    package var description: String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            var position = 0
            for index in 0..<32 {
                if index == 8 || index == 12 || index == 16 || index == 20 {
                    buffer[position] = UInt8(ascii: "-")
                    position += 1
                }
                let half = index < 16 ? high : low
                let digit = UInt8(half >> UInt64(60 - 4 * (index % 16)) & 0xF)
                buffer[position] = digit < 10 ? 48 + digit : 87 + digit
                position += 1
            }
            return 36
        }
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }

    private static func hexDigit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case 48...57: UInt64(byte - 48)
        case 65...70: UInt64(byte - 55)
        case 97...102: UInt64(byte - 87)
        default: nil
        }
    }
}
