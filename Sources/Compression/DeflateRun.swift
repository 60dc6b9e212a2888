import CDeflate
import CZlib

/// A text compressed so that runs can be laid end to end into one gzip member.
///
/// It is raw deflate whose last block is not marked final and which ends at a byte's border (with an empty stored
/// block, as a flush does). Nothing in a run points into another one.
package struct DeflateRun: Sendable, Equatable {
    package var bytes: [UInt8]
    /// Checksum and length of the text, which the trailer of the member needs.
    package var crc: UInt32
    package var textCount: Int

    package init(bytes: [UInt8], crc: UInt32, textCount: Int) {
        self.bytes = bytes
        self.crc = crc
        self.textCount = textCount
    }

    /// Compresses `text` at `level` 1 to 12.
    ///
    /// libdeflate makes the stream, as it is both faster and tighter than zlib, but it always marks its last block
    /// final. Inflating the result with zlib finds that block's header and, on the way, proves the run readable before
    /// anyone relies on it.
    package init(compressing text: ArraySlice<UInt8>, level: Int = 6) {
        var stream = Gzip.deflate(text, level: level)
        let borders = Self.lastBlock(of: stream, text: text)
        stream[borders.start / 8] &= ~(1 << UInt8(borders.start % 8))
        stream.removeSubrange(((borders.end + 7) / 8)...)
        // Header of an empty stored block: three zero bits, zeros up to the byte's border, length 0 and its complement.
        if (8 - borders.end % 8) % 8 < 3 { stream.append(0) }
        stream += [0x00, 0x00, 0xff, 0xff]
        self.init(bytes: stream, crc: CRC32.checksum(text), textCount: text.count)
    }

    /// The text of this run.
    package func text() throws(CompressionError) -> [UInt8] {
        let text = try Self.text(of: bytes[...], count: textCount)
        guard CRC32.checksum(text[...]) == crc else { throw .corrupt }
        return text
    }

    /// The text of a run whose bytes were checked already.
    ///
    /// - Parameter count: bytes of the text.
    package static func text(of run: ArraySlice<UInt8>, count textCount: Int) throws(CompressionError) -> [UInt8] {
        guard let decompressor = libdeflate_alloc_decompressor() else { preconditionFailure("out of memory") }
        defer { libdeflate_free_decompressor(decompressor) }
        var status = LIBDEFLATE_SUCCESS
        let whole = run + GzipJoin.finalBlock
        let text = [UInt8](unsafeUninitializedCapacity: textCount) { output, count in
            status = whole.withUnsafeBytes {
                libdeflate_deflate_decompress(
                    decompressor,
                    $0.baseAddress,
                    $0.count,
                    output.baseAddress,
                    textCount,
                    nil
                )
            }
            count = status == LIBDEFLATE_SUCCESS ? textCount : 0
        }
        guard status == LIBDEFLATE_SUCCESS else { throw .corrupt }
        return text
    }

    /// First and one-past-last bit of the stream's last block.
    private static func lastBlock(of stream: [UInt8], text: ArraySlice<UInt8>) -> (start: Int, end: Int) {
        // zlib's state points back at the stream, which must therefore stay where it is.
        let state = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        state.initialize(to: z_stream())
        defer { state.deallocate() }
        let started = inflateInit2_(state, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(started == Z_OK, "zlib could not start to inflate")
        defer { inflateEnd(state) }
        var start = 0
        var end = 0
        let inflated = [UInt8](unsafeUninitializedCapacity: text.count + 1) { output, count in
            stream.withUnsafeBufferPointer { input in
                state.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                state.pointee.avail_in = UInt32(input.count)
                state.pointee.next_out = output.baseAddress
                state.pointee.avail_out = UInt32(text.count + 1)
                // Z_BLOCK stops after each block; `data_type` then tells the unused bits of the last byte, and 64 for
                // the last block.
                while inflate(state, Z_BLOCK) == Z_OK {
                    let bit = (input.count - Int(state.pointee.avail_in)) * 8 - Int(state.pointee.data_type & 7)
                    if state.pointee.data_type & 64 == 0 {
                        start = bit
                    } else {
                        end = bit
                    }
                }
            }
            count = text.count + 1 - Int(state.pointee.avail_out)
        }
        precondition(end > start && inflated[...] == text, "libdeflate made a stream that zlib reads otherwise")
        return (start, end)
    }
}

/// Joins runs into one gzip member: header, the runs' bytes in order, trailer.
package struct GzipJoin: Sendable {
    /// The header of a member without name and time.
    package static let header: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
    /// An empty block with fixed codes, marked final.
    static let finalBlock: [UInt8] = [0x03, 0x00]

    private var crc: UInt32 = 0
    private var count = 0

    package init() {}

    /// Counts a run that is written next.
    package mutating func append(crc: UInt32, textCount: Int) {
        self.crc = CRC32.combine(self.crc, crc, secondCount: textCount)
        count += textCount
    }

    /// What follows the last run.
    package var trailer: [UInt8] {
        let length = UInt32(truncatingIfNeeded: count)
        return Self.finalBlock
            + [crc, length].flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
    }
}
