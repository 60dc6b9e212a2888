/// Searches that look at eight bytes at a time.
enum ByteSearch {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// Index of the first byte from `start` on that ends plain text: a quote, a backslash, a control character or one
    /// beyond ASCII; the end if there is none.
    @inline(__always)
    static func endOfPlainText(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var index = start
        let raw = bytes.bytes
        while index &+ 8 <= bytes.count {
            let word = UInt64(littleEndian: raw.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
            let controls = (word &- 0x20 &* ones) & ~word
            let found = (zeros(word ^ 0x22 &* ones) | zeros(word ^ 0x5c &* ones) | controls | word) & highs
            if found != 0 { return index &+ found.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < bytes.count {
            let byte = bytes[index]
            if byte == 0x22 || byte == 0x5c || byte < 0x20 || byte >= 0x80 { return index }
            index &+= 1
        }
        return index
    }

    /// Index of the first quote or backslash from `start` on; the end if there is none.
    @inline(__always)
    static func quoteOrBackslash(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var index = start
        let raw = bytes.bytes
        while index &+ 8 <= bytes.count {
            let word = UInt64(littleEndian: raw.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
            let found = (zeros(word ^ 0x22 &* ones) | zeros(word ^ 0x5c &* ones)) & highs
            if found != 0 { return index &+ found.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < bytes.count, bytes[index] != 0x22, bytes[index] != 0x5c { index &+= 1 }
        return index
    }

    /// The high bit of each zero byte.
    ///
    /// Bytes above a zero byte may be marked wrongly; the lowest mark is always right.
    @inline(__always)
    private static func zeros(_ word: UInt64) -> UInt64 {
        (word &- ones) & ~word
    }
}
