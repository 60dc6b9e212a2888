import CZlib
import Compression
import NoiseTestKit
import Testing

@Suite("CRC-32")
struct CRC32Tests {
    @Test("of known texts", arguments: [("", 0), ("123456789", 0xcbf4_3926), ("a", 0xe8b7_be43)] as [(String, UInt32)])
    func known(text: String, crc: UInt32) {
        #expect(CRC32.checksum(ArraySlice(text.utf8)) == crc)
    }

    @Test("goes on from a checksum")
    func continues() {
        let first = CRC32.checksum(ArraySlice("12345".utf8))

        #expect(CRC32.checksum(ArraySlice("6789".utf8), after: first) == 0xcbf4_3926)
    }

    @Test(
        "of two texts in a row is what zlib computes",
        arguments: [(0, 0), (0, 5), (5, 0), (1, 1), (3, 1_000), (70_000, 65_536), (17, 262_143)]
    )
    func combines(firstCount: Int, secondCount: Int) {
        let text = Noise.bytes(firstCount + secondCount, seed: UInt64(firstCount + 1))
        let first = CRC32.checksum(text[..<firstCount])
        let second = CRC32.checksum(text[firstCount...])

        let combined = CRC32.combine(first, second, secondCount: secondCount)

        #expect(combined == CRC32.checksum(text[...]))
        #expect(combined == UInt32(crc32_combine(UInt(first), UInt(second), secondCount)))
    }

    @Test("combines texts longer than four gigabytes like zlib")
    func combinesLong() {
        for count in [1 << 32, 5_000_000_017, Int(UInt32.max)] {
            let combined = CRC32.combine(0x1234_5678, 0x9abc_def0, secondCount: count)

            #expect(combined == UInt32(crc32_combine(0x1234_5678, 0x9abc_def0, count)))
        }
    }
}
