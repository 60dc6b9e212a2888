package import JSONScan

/// Cuts the text of a document into chunks while it passes, window by window.
///
/// Feed it what the `Cutter` is fed, and what the cutter found; at most a chunk and a window are in memory. The text is
/// taken as it is: envelope, separators and white space belong to the parts, which are the text when laid end to end.
package struct TextChunker {
    private var builder: ChunkBuilder
    private var borders: ChunkBorders
    /// Text not given out yet, and some that was in the current window.
    private var buffer: [UInt8] = []
    /// Offset of the buffer's first byte.
    private var bufferStart = 0
    /// How much of the buffer was given out.
    private var emitted = 0
    /// Offsets from which the cutter's are counted; it may have seen more than the document.
    private let origin: Int
    /// End of the last element, if the buffer begins with elements.
    private var elementsEnd: Int?
    private var resourceCount = 0

    /// `origin` is the cutter's offset of the document's first byte, when it stands inside of a larger body.
    package init(origin: Int = 0, rules: ChunkRules = ChunkRules(), hash: @escaping HashMaker) {
        builder = ChunkBuilder(rules: rules, hash: hash)
        borders = ChunkBorders(rules: rules)
        self.origin = origin
    }

    /// Takes the next bytes of the document and the cuts found in them; answers the pieces that are complete.
    package mutating func feed(_ window: ArraySlice<UInt8>, cuts: [Cut]) -> [VersionPiece] {
        buffer += window
        for cut in cuts {
            switch cut {
            case .element(.resources, let value, let offset):
                element(value, at: offset - origin, isResource: true)
            case .element(.pendingOperations, let value, let offset):
                element(value, at: offset - origin, isResource: false)
            case .closed(.resources, _), .closed(.pendingOperations, _):
                endList()
            default:
                break
            }
        }
        // Once per window, as taking from the front moves the rest.
        buffer.removeFirst(emitted)
        bufferStart += emitted
        emitted = 0
        return builder.takePieces()
    }

    /// The last pieces, after the last window.
    package mutating func finish() -> [VersionPiece] {
        builder.envelope(buffer[...])
        buffer = []
        return builder.takePieces()
    }

    private mutating func element(_ value: ArraySlice<UInt8>, at offset: Int, isResource: Bool) {
        if borders.beginsChunk(value) { emit(upTo: offset) }
        elementsEnd = offset + value.count
        if isResource { resourceCount += 1 }
    }

    private mutating func endList() {
        guard let end = elementsEnd else { return }
        emit(upTo: end)
        borders.reset()
    }

    /// Gives out the buffer's bytes before `offset`: a chunk if it holds elements, envelope otherwise.
    private mutating func emit(upTo offset: Int) {
        let text = buffer[emitted..<(offset - bufferStart)]
        if elementsEnd == nil {
            builder.envelope(text)
        } else {
            builder.chunk(ArraySlice(Array(text)), resourceCount: resourceCount)
        }
        emitted = offset - bufferStart
        elementsEnd = nil
        resourceCount = 0
    }
}
