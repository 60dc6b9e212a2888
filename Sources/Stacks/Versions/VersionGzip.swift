import Compression
import Kernel
import StateStore

/// A stored version as one gzip member: its chunks' bytes as they are stored, joined.
///
/// Nothing is compressed again. Everything is read and checked before the first byte is given out, so that a damaged
/// version is refused with a message instead of breaking off.
package struct VersionGzip: AsyncSequence, Sendable {
    /// Up to so many bytes are kept from the check; larger versions are read a second time.
    private static let keepLimit = 8 << 20

    fileprivate enum Segment: Sendable {
        case bytes([UInt8])
        case chunks([Manifest.Chunk])
    }

    /// Bytes of the whole member.
    package let count: Int
    private let segments: [Segment]
    private let stored: StoredVersion
    private let reader: VersionReader

    /// Reads and checks a version.
    ///
    /// - Throws: an error that names the version when stored bytes are damaged.
    package init(_ stored: StoredVersion, reader: VersionReader) async throws {
        let stretches = VersionReader.stretches(of: stored)
        let keeps = stretches.reduce(0) { $0 + $1.count } <= Self.keepLimit
        let checked = try await reader.sideBySide(stretches, keeping: keeps) { stretch in
            switch stretch {
            case .inline(let text):
                let run = DeflateRun(compressing: text[...], .fast)
                return Checked(segment: .bytes(run.bytes), count: run.bytes.count, texts: [(run.crc, run.textCount)])
            case .packed(let chunks):
                let bytes = try await reader.bytes(of: chunks, in: stored)
                return Checked(
                    segment: keeps ? .bytes(bytes) : .chunks(chunks),
                    count: bytes.count,
                    texts: chunks.map { ($0.crc, $0.textCount) }
                )
            }
        }
        var join = GzipJoin()
        for (crc, textCount) in checked.flatMap(\.texts) { join.append(crc: crc, textCount: textCount) }
        segments = [.bytes(GzipJoin.header)] + checked.map(\.segment) + [.bytes(join.trailer)]
        count = checked.reduce(GzipJoin.header.count + join.trailer.count) { $0 + $1.count }
        self.stored = stored
        self.reader = reader
    }

    /// A stretch that was read and is as it was stored.
    private struct Checked: Sendable {
        var segment: Segment
        /// Bytes of the member.
        var count: Int
        /// The texts in it, for the trailer.
        var texts: [(crc: UInt32, textCount: Int)]
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var segments: ArraySlice<Segment>
        fileprivate let stored: StoredVersion
        fileprivate let reader: VersionReader

        package mutating func next() async throws -> [UInt8]? {
            switch segments.popFirst() {
            case nil: nil
            case .bytes(let bytes): bytes
            case .chunks(let chunks): try await reader.bytes(of: chunks, in: stored)
            }
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(segments: segments[...], stored: stored, reader: reader)
    }
}
