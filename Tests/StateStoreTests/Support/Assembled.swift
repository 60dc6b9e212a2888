import Compression
import StateStore
import Testing

/// A version as it is stored: manifest and packs.
struct Assembled {
    var manifest: Manifest
    var packs: [Int: [UInt8]]
    /// Hashes of the chunks that were made for it.
    var made: Set<[UInt8]>

    /// Makes version 1, or version 2 over version 1.
    init(_ pieces: [VersionPiece], _ summary: DocumentSummary, over base: Assembled? = nil) {
        var builder = ManifestBuilder(over: base?.manifest.numbered(1))
        let resolved = builder.resolved(pieces).map { piece -> VersionPiece in
            // What the document itself took over is not numbered yet, as the base's manifest was given as it is.
            guard case .known(var chunk) = piece, chunk.place.pack == Manifest.Place.ownPack else { return piece }
            chunk.place.pack = 1
            return .known(chunk)
        }
        let new = resolved.compactMap { piece in
            if case .new(let chunk) = piece { chunk } else { nil }
        }
        let packed = new.map { PackedChunk($0, .fast, hash: TestHash.maker) }
        packs = [Manifest.Place.ownPack: builder.add(resolved, packed: packed)]
        packs[1] = base?.packs[Manifest.Place.ownPack]
        manifest = builder.finish(summary)
        made = Set(new.map(\.hash))
    }

    func run(of chunk: Manifest.Chunk) throws -> DeflateRun {
        let pack = try #require(packs[chunk.place.pack])
        let bytes = Array(pack[chunk.place.offset..<(chunk.place.offset + chunk.place.count)])
        return DeflateRun(bytes: bytes, crc: chunk.crc, textCount: chunk.textCount)
    }

    func text() throws -> [UInt8] {
        try manifest.parts.flatMap { part in
            switch part {
            case .inline(let text): text
            case .chunk(let chunk): try run(of: chunk).text()
            }
        }
    }
}

extension Manifest {
    /// Names of the chunks that this version has and `other` has not.
    func hashes(notIn other: Manifest) -> Set<[UInt8]> {
        Set(chunks.map(\.hash)).subtracting(other.chunks.map(\.hash))
    }
}
