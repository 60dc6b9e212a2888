package import Compression

/// A chunk's text compressed, with what its place has to say of it.
package struct PackedChunk: Sendable {
    package var run: DeflateRun
    /// SHA-256 of the run's bytes.
    package var digest: [UInt8]

    /// Compresses a chunk; this is what costs time, so it is done on threads for it, several chunks side by side.
    package init(_ chunk: NewChunk, _ effort: DeflateRun.Effort, hash: HashMaker) {
        run = DeflateRun(compressing: chunk.text, effort)
        var hasher = hash()
        hasher.update(run.bytes[...])
        digest = hasher.finalize()
    }
}

/// Puts the pieces of a version together: a manifest, and a pack of those chunks that no version before has.
///
/// Take the pieces in the order of the text: `resolved` first, so that nothing is compressed that is there already, then
/// `add` with the new ones compressed; what it answers is written to the pack.
package struct ManifestBuilder: Sendable {
    private var parts: [Manifest.Part] = []
    private var known: [[UInt8]: Manifest.Chunk] = [:]

    /// Bytes of the pack so far.
    package private(set) var packCount = 0

    /// - Parameter base: the numbered manifest of a version whose chunks may be taken over.
    package init(over base: Manifest? = nil) {
        for chunk in base?.chunks ?? [] { known[chunk.hash] = chunk }
    }

    /// The pieces with those new chunks replaced that a version before, or this one, has already.
    package func resolved(_ pieces: [VersionPiece]) -> [VersionPiece] {
        pieces.map { piece in
            guard case .new(let chunk) = piece, var same = known[chunk.hash] else { return piece }
            same.resourceCount = chunk.resourceCount
            return .known(same)
        }
    }

    /// Adds resolved pieces in the order of the text.
    ///
    /// - Parameter packed: the new ones among them, compressed.
    /// - Returns: the bytes that the pack goes on with.
    package mutating func add(_ pieces: [VersionPiece], packed: [PackedChunk]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(packed.reduce(0) { $0 + $1.run.bytes.count })
        var next = packed.startIndex
        for piece in pieces {
            switch piece {
            case .inline(let text):
                parts.append(.inline(text))
            case .known(let chunk):
                parts.append(.chunk(chunk))
            case .new(let chunk):
                bytes += add(chunk, packed[next])
                next += 1
            }
        }
        return bytes
    }

    private mutating func add(_ chunk: NewChunk, _ packed: PackedChunk) -> [UInt8] {
        let place = Manifest.Place(
            pack: Manifest.Place.ownPack,
            offset: packCount,
            count: packed.run.bytes.count,
            digest: packed.digest
        )
        let stored = Manifest.Chunk(
            hash: chunk.hash,
            textCount: packed.run.textCount,
            crc: packed.run.crc,
            resourceCount: chunk.resourceCount,
            place: place
        )
        known[chunk.hash] = stored
        parts.append(.chunk(stored))
        packCount += packed.run.bytes.count
        return packed.run.bytes
    }

    package func finish(_ summary: DocumentSummary) -> Manifest {
        Manifest(summary: summary, parts: parts)
    }
}
