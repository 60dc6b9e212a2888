/// What a stored version consists of: its text in order, as chunks and the short text between them.
///
/// The texts one after the other are the version, byte for byte.
package struct Manifest: Sendable, Equatable {
    /// A chunk by its name, with what joining and reuse need to know of it.
    package struct Chunk: Sendable, Hashable {
        /// SHA-256 of the text, 32 bytes; the chunk's name in the object store.
        package var hash: [UInt8]
        /// Bytes of text.
        package var textCount: Int
        /// CRC-32 of the text, for gzip members joined from stored runs.
        package var crc: UInt32
        /// Resources that begin in the chunk; 0 in chunks of anything else.
        package var resourceCount: Int

        package init(hash: [UInt8], textCount: Int, crc: UInt32, resourceCount: Int) {
            self.hash = hash
            self.textCount = textCount
            self.crc = crc
            self.resourceCount = resourceCount
        }
    }

    package enum Part: Sendable, Equatable {
        case inline([UInt8])
        case chunk(Chunk)
    }

    package var summary: DocumentSummary
    package var parts: [Part]

    package init(summary: DocumentSummary, parts: [Part]) {
        self.summary = summary
        self.parts = parts
    }

    /// Bytes of the whole text.
    package var textCount: Int {
        parts.reduce(0) { sum, part in
            switch part {
            case .inline(let text): sum + text.count
            case .chunk(let chunk): sum + chunk.textCount
            }
        }
    }

    /// The chunks in the order of the text; one may occur more than once.
    package var chunks: [Chunk] {
        parts.compactMap { part in
            if case .chunk(let chunk) = part { chunk } else { nil }
        }
    }

    /// Names of the chunks that this version has and `other` has not.
    package func chunkHashes(notIn other: Manifest) -> Set<[UInt8]> {
        Set(chunks.map(\.hash)).subtracting(other.chunks.map(\.hash))
    }

    /// The text in pieces, each checked against its name; `fetch` gives a chunk's text.
    ///
    /// Bytes that fail the check are never given out.
    package func text(
        hash: HashMaker,
        fetch: (Chunk) throws -> ArraySlice<UInt8>
    ) throws -> PiecedText {
        var text = PiecedText()
        for part in parts {
            switch part {
            case .inline(let bytes):
                text.append(bytes[...])
            case .chunk(let chunk):
                let bytes = try fetch(chunk)
                var hasher = hash()
                hasher.update(bytes)
                guard hasher.finalize() == chunk.hash else { throw ManifestError.chunkDamaged(chunk.hash) }
                text.append(bytes)
            }
        }
        return text
    }
}

package enum ManifestError: Error, Equatable {
    /// The stored manifest is not one that this release wrote, or it is damaged.
    case unreadable
    /// A chunk's text is not what its name says.
    case chunkDamaged([UInt8])
}
