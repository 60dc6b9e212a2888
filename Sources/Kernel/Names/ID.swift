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
        guard text.count == 36, text[8] == HexDigits.dash, text[13] == HexDigits.dash, text[18] == HexDigits.dash,
            text[23] == HexDigits.dash, let first = HexDigits.number(HexDigits.eight(text, 0)),
            let second = HexDigits.number(HexDigits.four(text, 9) << 32 | HexDigits.four(text, 14)),
            let third = HexDigits.number(HexDigits.four(text, 19) << 32 | HexDigits.four(text, 24)),
            let fourth = HexDigits.number(HexDigits.eight(text, 28))
        else { return nil }
        high = first << 32 | second
        low = third << 32 | fourth
    }

    package var description: String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            let text = UnsafeMutableRawBufferPointer(buffer)
            func put(_ digits: UInt64, at offset: Int) {
                text.storeBytes(of: digits.bigEndian, toByteOffset: offset, as: UInt64.self)
            }
            func put(_ digits: UInt32, at offset: Int) {
                text.storeBytes(of: digits.bigEndian, toByteOffset: offset, as: UInt32.self)
            }
            let middle = (HexDigits.digits(high & 0xFFFF_FFFF), HexDigits.digits(low >> 32))
            put(HexDigits.digits(high >> 32), at: 0)
            put(UInt32(middle.0 >> 32), at: 9)
            put(UInt32(truncatingIfNeeded: middle.0), at: 14)
            put(UInt32(middle.1 >> 32), at: 19)
            put(UInt32(truncatingIfNeeded: middle.1), at: 24)
            put(HexDigits.digits(low & 0xFFFF_FFFF), at: 28)
            for offset in [8, 13, 18, 23] { buffer[offset] = HexDigits.dash }
            return 36
        }
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }
}

/// Hexadecimal digits, eight at a time: ids are read from every row, shown in every log line, sent to every database.
///
/// Apart from `ID`, which is generic: what is called there has to find out of what.
private enum HexDigits {
    static var dash: UInt8 { UInt8(ascii: "-") }

    /// The eight bytes from `offset`, the first one highest.
    static func eight(_ text: Span<UInt8>, _ offset: Int) -> UInt64 {
        text.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self).bigEndian
    }

    static func four(_ text: Span<UInt8>, _ offset: Int) -> UInt64 {
        UInt64(text.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self).bigEndian)
    }

    /// The value of eight digits in either case, the first one in the highest byte; nil when one of them is none.
    static func number(_ text: UInt64) -> UInt64? {
        let lower = text | 0x2020_2020_2020_2020
        let isDigit = atLeast(0x30, text) & ~atLeast(0x3A, text)
        let isLetter = atLeast(0x61, lower) & ~atLeast(0x67, lower)
        guard text & highest == 0, (isDigit | isLetter) & highest == highest else { return nil }
        var value = (text & 0x0F0F_0F0F_0F0F_0F0F) + (text >> 6 & 0x0101_0101_0101_0101) * 9
        value = (value | value >> 4) & 0x00FF_00FF_00FF_00FF
        value = (value | value >> 8) & 0x0000_FFFF_0000_FFFF
        return (value | value >> 16) & 0xFFFF_FFFF
    }

    private static var highest: UInt64 { 0x8080_8080_8080_8080 }

    /// The highest bit of each byte, as long as it is below 128, says whether it is this one or above.
    private static func atLeast(_ byte: UInt64, _ text: UInt64) -> UInt64 {
        (text | highest) - 0x0101_0101_0101_0101 * byte
    }

    /// The digits of a 32-bit number in lower case, the first one in the highest byte.
    static func digits(_ number: UInt64) -> UInt64 {
        var halves = (number | number << 16) & 0x0000_FFFF_0000_FFFF
        halves = (halves | halves << 8) & 0x00FF_00FF_00FF_00FF
        let values = (halves | halves << 4) & 0x0F0F_0F0F_0F0F_0F0F
        // One for each value from 10 on, whose letters begin 39 behind where the digits end.
        let letters = (values + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return values + 0x3030_3030_3030_3030 + letters * 39
    }
}
