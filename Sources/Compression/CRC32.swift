import CDeflate

/// The checksum at the end of a gzip member, with the arithmetic that joins checksums of neighbouring texts.
package enum CRC32 {
    /// The reflected polynomial of gzip (RFC 1952 §8).
    private static let polynomial: UInt32 = 0xEDB8_8320

    /// The checksum of `bytes`, going on from that of the bytes before.
    package static func checksum(_ bytes: ArraySlice<UInt8>, after crc: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBytes { libdeflate_crc32(crc, $0.baseAddress, $0.count) }
    }

    /// The checksum of two texts in a row, from their checksums and the length of the second in bytes.
    ///
    /// Appending n zero bytes multiplies the remainder by x^8n; the rest is addition (`CRC(ab) = CRC(a)·x^8n + CRC(b)`),
    /// in the field of polynomials over one bit.
    package static func combine(_ first: UInt32, _ second: UInt32, secondCount: Int) -> UInt32 {
        precondition(secondCount >= 0, "a text has no negative length")
        return multiply(shift(bytes: secondCount), first) ^ second
    }

    /// x^8n modulo the polynomial, by squaring.
    private static func shift(bytes: Int) -> UInt32 {
        var result: UInt32 = 1 << 31  // x^0: the highest bit, as the representation is reflected
        var power: UInt32 = 1 << 23  // x^8
        var rest = bytes
        while rest > 0 {
            if rest & 1 == 1 { result = multiply(power, result) }
            power = multiply(power, power)
            rest >>= 1
        }
        return result
    }

    private static func multiply(_ left: UInt32, _ right: UInt32) -> UInt32 {
        var product: UInt32 = 0
        var term = right
        var mask: UInt32 = 1 << 31
        while mask != 0 {
            if left & mask != 0 { product ^= term }
            term = term & 1 == 1 ? (term >> 1) ^ polynomial : term >> 1
            mask >>= 1
        }
        return product
    }
}
