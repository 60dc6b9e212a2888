/// A stretch of a version's text, before it is known where its bytes will be.
package enum VersionPiece: Sendable {
    /// Short text that the manifest itself keeps.
    case inline([UInt8])
    /// A chunk that a version before has, unread.
    case known(Manifest.Chunk)
    case new(NewChunk)
}

/// A chunk of text that was cut, and has to be stored unless a version before has it.
package struct NewChunk: Sendable {
    /// SHA-256 of the text, 32 bytes.
    package var hash: [UInt8]
    package var text: ArraySlice<UInt8>
    /// Resources that begin in the chunk; 0 in chunks of anything else.
    package var resourceCount: Int
}

/// Collects the pieces of a version.
struct ChunkBuilder {
    let rules: ChunkRules
    let hash: HashMaker
    private(set) var pieces: [VersionPiece] = []

    init(rules: ChunkRules, hash: @escaping HashMaker) {
        self.rules = rules
        self.hash = hash
    }

    /// Text around the lists.
    ///
    /// Long text becomes a chunk of its own.
    mutating func envelope(_ text: ArraySlice<UInt8>) {
        guard text.count > rules.inlineLimit else {
            if !text.isEmpty { pieces.append(.inline(Array(text))) }
            return
        }
        chunk(text, resourceCount: 0)
    }

    mutating func chunk(_ text: ArraySlice<UInt8>, resourceCount: Int) {
        guard !text.isEmpty else { return }
        var hasher = hash()
        hasher.update(text)
        pieces.append(.new(NewChunk(hash: hasher.finalize(), text: text, resourceCount: resourceCount)))
    }

    mutating func reuse(_ chunk: Manifest.Chunk) {
        pieces.append(.known(chunk))
    }

    /// The pieces made since the last call.
    mutating func takePieces() -> [VersionPiece] {
        defer { pieces = [] }
        return pieces
    }
}
