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
            text[23] == Self.dash, let first = Self.number(Self.eight(text, 0)),
            let second = Self.number(Self.four(text, 9) << 32 | Self.four(text, 14)),
            let third = Self.number(Self.four(text, 19) << 32 | Self.four(text, 24)),
            let fourth = Self.number(Self.eight(text, 28))
        else { return nil }
        high = first << 32 | second
        low = third << 32 | fourth
    }

    private static var dash: UInt8 { UInt8(ascii: "-") }

    private static func eight(_ text: Span<UInt8>, _ offset: Int) -> UInt64 {
        text.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self).bigEndian
    }

    private static func four(_ text: Span<UInt8>, _ offset: Int) -> UInt64 {
        UInt64(text.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self).bigEndian)
    }

    /// The value of eight hexadecimal digits in either case, the first one in the highest byte; all at once, because ids are
    /// read from every row.
    private static func number(_ text: UInt64) -> UInt64? {
        let highest: UInt64 = 0x8080_8080_8080_8080
        guard text & highest == 0 else { return nil }
        /// The highest bit of each byte that is this one or above.
        func atLeast(_ byte: UInt64, _ text: UInt64) -> UInt64 {
            (text | highest) - 0x0101_0101_0101_0101 * byte
        }
        let lower = text | 0x2020_2020_2020_2020
        let isDigit = atLeast(0x30, text) & ~atLeast(0x3A, text)
        let isLetter = atLeast(0x61, lower) & ~atLeast(0x67, lower)
        guard (isDigit | isLetter) & highest == highest else { return nil }
        var value = (text & 0x0F0F_0F0F_0F0F_0F0F) + (text >> 6 & 0x0101_0101_0101_0101) * 9
        value = (value | value >> 4) & 0x00FF_00FF_00FF_00FF
        value = (value | value >> 8) & 0x0000_FFFF_0000_FFFF
        return (value | value >> 16) & 0xFFFF_FFFF
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
            let middle = (Self.digits(high & 0xFFFF_FFFF), Self.digits(low >> 32))
            put(Self.digits(high >> 32), at: 0)
            put(UInt32(middle.0 >> 32), at: 9)
            put(UInt32(truncatingIfNeeded: middle.0), at: 14)
            put(UInt32(middle.1 >> 32), at: 19)
            put(UInt32(truncatingIfNeeded: middle.1), at: 24)
            put(Self.digits(low & 0xFFFF_FFFF), at: 28)
            for offset in [8, 13, 18, 23] { buffer[offset] = Self.dash }
            return 36
        }
    }

    /// The eight hexadecimal digits of a 32-bit number, the first one in the highest byte; all at once, because ids are
    /// shown in every log line and sent to every database.
    private static func digits(_ number: UInt64) -> UInt64 {
        var halves = (number | number << 16) & 0x0000_FFFF_0000_FFFF
        halves = (halves | halves << 8) & 0x00FF_00FF_00FF_00FF
        let values = (halves | halves << 4) & 0x0F0F_0F0F_0F0F_0F0F
        // One for each value from 10 on, whose letters begin 39 behind where the digits end.
        let letters = (values + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return values + 0x3030_3030_3030_3030 + letters * 39
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }
}
