/// What a stored version consists of: its text in order, as chunks and the short text between them.
///
/// The texts one after the other are the version, byte for byte.
package struct Manifest: Sendable, Equatable {
    /// Where the compressed bytes of a chunk are.
    package struct Place: Sendable, Hashable {
        /// The version whose pack holds them; `ownPack` stands for the version that the manifest is of.
        package var pack: Int
        /// Where they begin in the pack.
        package var offset: Int
        /// How many they are.
        package var count: Int
        /// Their SHA-256, 32 bytes, checked whenever they are read.
        package var digest: [UInt8]

        /// Versions of a stack are counted from 0, so this is none of them.
        package static let ownPack = -1

        package init(pack: Int, offset: Int, count: Int, digest: [UInt8]) {
            self.pack = pack
            self.offset = offset
            self.count = count
            self.digest = digest
        }
    }

    /// A chunk by its name, with what joining and reuse need to know of it.
    package struct Chunk: Sendable, Hashable {
        /// SHA-256 of the text, 32 bytes: what is the same in two versions has the same name.
        package var hash: [UInt8]
        /// Bytes of text.
        package var textCount: Int
        /// CRC-32 of the text, for gzip members joined from stored runs.
        package var crc: UInt32
        /// Resources that begin in the chunk; 0 in chunks of anything else.
        package var resourceCount: Int
        package var place: Place

        package init(hash: [UInt8], textCount: Int, crc: UInt32, resourceCount: Int, place: Place) {
            self.hash = hash
            self.textCount = textCount
            self.crc = crc
            self.resourceCount = resourceCount
            self.place = place
        }
    }

    package enum Part: Sendable, Equatable {
        case inline([UInt8])
        case chunk(Chunk)

        /// Bytes of its text.
        package var textCount: Int {
            switch self {
            case .inline(let text): text.count
            case .chunk(let chunk): chunk.textCount
            }
        }
    }

    package var summary: DocumentSummary
    package var parts: [Part]

    package init(summary: DocumentSummary, parts: [Part]) {
        self.summary = summary
        self.parts = parts
    }

    /// Bytes of the whole text.
    package var textCount: Int {
        parts.reduce(0) { $0 + $1.textCount }
    }

    /// The chunks in the order of the text; one may occur more than once.
    package var chunks: [Chunk] {
        parts.compactMap { part in
            if case .chunk(let chunk) = part { chunk } else { nil }
        }
    }

    /// The versions whose packs hold chunks of this one.
    package var packs: Set<Int> { Set(chunks.map(\.place.pack)) }

    /// The manifest with the number of its version in the place of `Place.ownPack`, so that other versions may take
    /// chunks over.
    package func numbered(_ version: Int) -> Manifest {
        var numbered = self
        for (index, part) in parts.enumerated() {
            guard case .chunk(var chunk) = part, chunk.place.pack == Place.ownPack else { continue }
            chunk.place.pack = version
            numbered.parts[index] = .chunk(chunk)
        }
        return numbered
    }
}

package enum ManifestError: Error, Equatable {
    /// The stored manifest is not one that this release wrote, or it is damaged.
    case unreadable
}
