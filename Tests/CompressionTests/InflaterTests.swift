import CZlib
import Compression
import Kernel
import NoiseTestKit
import Testing

@Suite("Inflating in pieces")
struct InflaterTests {
    /// Feeds `input` in pieces of `step` bytes and collects the output; every piece must fit `window`.
    private func inflate(
        _ input: [UInt8],
        step: Int = 1_000,
        window: Int = 4_096,
        limits: Inflater.Limits = .init(output: 10_000_000)
    ) throws(CompressionError) -> [UInt8] {
        var inflater = Inflater(limits: limits, window: window)
        var output: [UInt8] = []
        var index = 0
        while index < input.count {
            let end = min(index + step, input.count)
            inflater.supply(input[index..<end])
            while let piece = try inflater.next() {
                #expect(!piece.isEmpty && piece.count <= window)
                output += piece
            }
            index = end
        }
        try inflater.finish()
        #expect(inflater.received == input.count)
        #expect(inflater.produced == output.count)
        return output
    }

    @Test("gives the text back, however it is cut", arguments: [1, 2, 7, 18, 100, 5_000, 1_000_000], [1, 13, 4_096])
    func roundTrip(step: Int, window: Int) throws {
        let text = Noise.text(20_000, seed: 3)

        #expect(try inflate(Gzip.gzip(text[...]), step: step, window: window) == text)
    }

    @Test("reads an empty member")
    func emptyMember() throws {
        #expect(try inflate(Gzip.gzip([])).isEmpty)
    }

    @Test("reads several members as one text", arguments: [1, 3, 50_000])
    func members(step: Int) throws {
        let parts = [Noise.text(5_000, seed: 1), [], Noise.text(3_000, seed: 2)]

        #expect(try inflate(parts.flatMap { Gzip.gzip($0[...]) }, step: step) == parts.flatMap { $0 })
    }

    @Test(
        "refuses everything behind a member that is not another one",
        arguments: [[0], [0x1f], [0x1f, 0x8c], Array("junk".utf8)]
    )
    func garbage(tail: [UInt8]) {
        #expect(throws: CompressionError.corrupt) { try inflate(Gzip.gzip(Noise.text(500, seed: 1)[...]) + tail) }
        #expect(throws: CompressionError.corrupt) {
            try inflate(Gzip.gzip(Noise.text(500, seed: 1)[...]) + tail, step: 1)
        }
    }

    @Test("refuses a stream that is cut off anywhere")
    func truncated() {
        let whole = Gzip.gzip(Noise.text(300, seed: 9)[...])
        for count in 0..<whole.count {
            #expect(throws: CompressionError.corrupt, "after \(count) bytes") { try inflate(Array(whole[..<count])) }
        }
    }

    @Test(
        "refuses other formats",
        arguments: [Array("{\"version\":3}".utf8), [0x78, 0x9c, 0x03, 0, 0, 0, 0, 1], [0x1f, 0x8b, 7, 0]]
    )
    func otherFormats(input: [UInt8]) {
        #expect(throws: CompressionError.corrupt) { try inflate(input) }
    }

    @Test("never gives out a damaged text as whole")
    func damaged() {
        let text = Noise.text(400, seed: 4)
        let whole = Gzip.gzip(text[...])
        // The ten bytes of the header hold flags and a time that may change; the rest may not.
        for index in 10..<whole.count {
            var damaged = whole
            damaged[index] ^= 0x10
            // Padding at the end of the last block carries nothing and is the only byte that may change.
            let inflated = try? inflate(damaged)
            #expect(inflated == nil || (inflated == text && index == whole.count - 9), "byte \(index)")
        }
    }

    @Test(
        "allows exactly the limit and not one byte more",
        arguments: [(1_000, 1_000, true), (1_001, 1_000, false), (1, 0, false), (0, 0, true)]
    )
    func limit(count: Int, limit: Int, fits: Bool) throws {
        let input = Gzip.gzip(Noise.text(count, seed: 5)[...])
        let limits = Inflater.Limits(output: limit)

        if fits {
            #expect(try inflate(input, limits: limits).count == count)
        } else {
            #expect(throws: CompressionError.tooLarge) { try inflate(input, limits: limits) }
        }
    }

    @Test("stops a bomb at the ratio, long before the limit")
    func bomb() {
        let input = Gzip.gzip([UInt8](repeating: 0, count: 5_000_000)[...], level: 12)
        var inflater = Inflater(limits: .init(output: 1 << 40, ratio: 100, ratioFloor: 100_000), window: 1 << 16)
        inflater.supply(input[...])

        #expect(throws: CompressionError.tooLarge) { while try inflater.next() != nil {} }
        #expect(inflater.produced < 1_000_000)
    }

    @Test("accepts what zlib accepts, gives the same text, and never more than that", arguments: 0..<40)
    func sameAsZlib(seed: UInt64) {
        var noise = Noise(seed: seed)
        let text = Noise.text(Int(noise.next() % 40_000), seed: seed)
        let whole = Gzip.gzip(text[...], level: 1 + Int(noise.next() % 12))
        for _ in 0..<50 {
            var input = whole
            for _ in 0..<(1 + noise.next() % 3) {
                input[Int(noise.next() % UInt64(input.count))] = UInt8(truncatingIfNeeded: noise.next())
            }

            let ours = try? inflate(input, step: 1 + Int(noise.next() % 5_000), window: 1 + Int(noise.next() % 70_000))

            if let ours { #expect(ours == text && zlibInflate(input) == text) }
        }
    }

    @Test("refuses what looks back beyond the beginning of the text")
    func lookBack() {
        // One block of fixed codes: the literal "a", then a match of 3 bytes at distance 4, of which 1 exists.
        let member: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0x04, 0x62, 0x00, 0, 0, 0, 0, 0, 0, 0, 0]

        #expect(throws: CompressionError.corrupt) { try inflate(member) }
        #expect(throws: CompressionError.corrupt) { try inflate(Gzip.gzip(Noise.text(900, seed: 1)[...]) + member) }
    }

    @Test("reads members whose header has all optional fields", arguments: [1, 5, 1_000])
    func header(step: Int) throws {
        let text = Noise.text(2_000, seed: 8)
        let plain = Gzip.gzip(text[...])
        // FEXTRA of 3 bytes, FNAME, FCOMMENT, in the order of RFC 1952 §2.3.
        let fields: [UInt8] = [3, 0, 1, 2, 3] + Array("name".utf8) + [0] + Array("a comment".utf8) + [0]
        let input = plain[..<3] + [0x1c] + plain[4..<10] + fields + plain[10...]

        #expect(try inflate(Array(input), step: step) == text)
    }

    @Test("keeps failing after an error")
    func sticky() {
        var inflater = Inflater(limits: .init(output: 100))
        inflater.supply(Array("this is no gzip".utf8)[...])

        #expect(throws: CompressionError.corrupt) { try inflater.next() }
        #expect(throws: CompressionError.corrupt) { try inflater.next() }
        inflater.supply(Gzip.gzip(Array("text".utf8)[...])[...])
        #expect(throws: CompressionError.corrupt) { try inflater.next() }
        #expect(throws: CompressionError.corrupt) { try inflater.finish() }
    }

    @Test("has messages for clients")
    func messages() {
        #expect(CompressionError.corrupt.serviceError.code == .invalidArgument)
        #expect(CompressionError.tooLarge.serviceError.code == .tooLarge)
    }

    /// The text of one member as zlib reads it; nil when it finds fault.
    private func zlibInflate(_ input: [UInt8]) -> [UInt8]? {
        var stream = z_stream()
        guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            return nil
        }
        defer { inflateEnd(&stream) }
        var input = input
        var status = Z_OK
        let output = [UInt8](unsafeUninitializedCapacity: 1 << 20) { output, count in
            input.withUnsafeMutableBufferPointer { source in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                status = CZlib.inflate(&stream, Z_FINISH)
            }
            count = output.count - Int(stream.avail_out)
        }
        return status == Z_STREAM_END && stream.avail_in == 0 ? output : nil
    }
}
