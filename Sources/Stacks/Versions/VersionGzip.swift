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
        let checked = try await reader.checked(stretches, of: stored, keeps: keeps)
        var join = GzipJoin()
        var segments = [Segment.bytes(GzipJoin.header)]
        var count = GzipJoin.header.count
        for (stretch, bytes) in zip(stretches, checked) {
            switch stretch {
            case .inline(let text):
                let run = DeflateRun(compressing: text[...], .fast)
                join.append(crc: run.crc, textCount: run.textCount)
                segments.append(.bytes(run.bytes))
                count += run.bytes.count
            case .packed(let chunks):
                for chunk in chunks { join.append(crc: chunk.crc, textCount: chunk.textCount) }
                segments.append(bytes.map { .bytes($0) } ?? .chunks(chunks))
                count += stretch.count
            }
        }
        segments.append(.bytes(join.trailer))
        self.count = count + join.trailer.count
        self.segments = segments
        self.stored = stored
        self.reader = reader
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
