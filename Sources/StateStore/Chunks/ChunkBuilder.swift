import Compression

/// A chunk that has to be stored, unless the store has one of that name already.
package struct NewChunk: Sendable {
    package var chunk: Manifest.Chunk
    package var text: ArraySlice<UInt8>
}

/// Collects the parts of a manifest, and the texts of those chunks that are not reused.
struct ChunkBuilder {
    let rules: ChunkRules
    let hash: HashMaker
    private(set) var parts: [Manifest.Part] = []
    private(set) var chunks: [NewChunk] = []

    init(rules: ChunkRules, hash: @escaping HashMaker) {
        self.rules = rules
        self.hash = hash
    }

    /// Text around the lists.
    ///
    /// Long text becomes a chunk of its own.
    mutating func envelope(_ text: ArraySlice<UInt8>) {
        guard text.count > rules.inlineLimit else {
            if !text.isEmpty { parts.append(.inline(Array(text))) }
            return
        }
        chunk(text, resourceCount: 0)
    }

    mutating func chunk(_ text: ArraySlice<UInt8>, resourceCount: Int) {
        guard !text.isEmpty else { return }
        var hasher = hash()
        hasher.update(text)
        let chunk = Manifest.Chunk(
            hash: hasher.finalize(),
            textCount: text.count,
            crc: CRC32.checksum(text),
            resourceCount: resourceCount
        )
        parts.append(.chunk(chunk))
        chunks.append(NewChunk(chunk: chunk, text: text))
    }

    mutating func reuse(_ chunk: Manifest.Chunk) {
        parts.append(.chunk(chunk))
    }

    /// The chunks made since the last call.
    mutating func takeChunks() -> [NewChunk] {
        defer { chunks = [] }
        return chunks
    }
}
