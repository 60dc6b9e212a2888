import CDeflate
import CISAL

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A text compressed so that runs can be laid end to end into one gzip member.
///
/// It is raw deflate whose last block is not marked final and which ends at a byte's border (with an empty stored
/// block, as a flush does). Nothing in a run points into another one.
package struct DeflateRun: Sendable, Equatable {
    /// What compressing may cost.
    package enum Effort: Sendable, CaseIterable {
        /// About 500 MB/s on one core, a third of the text of a state.
        case fast
        /// Half as fast, some 2 % smaller.
        case tight

        /// The library's level.
        fileprivate var level: UInt32 {
            switch self {
            case .fast: 2
            case .tight: 3
            }
        }
    }

    package var bytes: [UInt8]
    /// Checksum and length of the text, which the trailer of the member needs.
    package var crc: UInt32
    package var textCount: Int

    package init(bytes: [UInt8], crc: UInt32, textCount: Int) {
        self.bytes = bytes
        self.crc = crc
        self.textCount = textCount
    }

    /// Compresses `text`.
    ///
    /// ISA-L makes the run, and inflating it with another library, libdeflate, proves it readable before anyone relies
    /// on it.
    package init(compressing text: ArraySlice<UInt8>, _ effort: Effort) {
        let run = Self.deflate(text, effort)
        guard let again = try? Self.text(of: run[...], count: text.count), Self.areEqual(again, text) else {
            preconditionFailure("ISA-L made a run that libdeflate reads otherwise")
        }
        self.init(bytes: run, crc: CRC32.checksum(text), textCount: text.count)
    }

    /// The same as `==`, which looks at one byte after the other.
    private static func areEqual(_ left: [UInt8], _ right: ArraySlice<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        return left.withUnsafeBytes { left in
            right.withUnsafeBytes { right in
                guard let start = left.baseAddress, let other = right.baseAddress else { return true }
                return memcmp(start, other, left.count) == 0
            }
        }
    }

    private static func deflate(_ text: ArraySlice<UInt8>, _ effort: Effort) -> [UInt8] {
        precondition(text.count < UInt32.max / 4, "a text is compressed in chunks")
        let memory = UnsafeMutablePointer<cairn_deflate_memory>.allocate(capacity: 1)
        defer { memory.deallocate() }
        // What cannot be compressed is stored, with a few bytes before each block; no text is known that takes more.
        for room in [text.count + text.count / 64 + 256, 2 * text.count + 4_096] {
            let run = [UInt8](unsafeUninitializedCapacity: room) { output, count in
                count = text.withUnsafeBufferPointer { input in
                    cairn_deflate_run(memory, effort.level, input.baseAddress, input.count, output.baseAddress, room)
                }
            }
            if !run.isEmpty { return run }
        }
        preconditionFailure("ISA-L made more of a text than twice its length")
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
