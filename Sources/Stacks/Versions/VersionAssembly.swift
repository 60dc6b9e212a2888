import JSONScan
import Kernel
import StateStore

/// A text on its way to a version: cut into chunks while it passes, with at most a few of them in memory.
///
/// Safe to share, as it is fed on the threads for computing; but feed it in order.
final class VersionAssembly: Sendable {
    fileprivate struct State: ~Copyable {
        var source: TextSource?
        var cutter = Cutter(.document)
        var cuts: [Cut] = []
        var survey: DocumentSurvey
        var chunker = TextChunker(hash: StateHash.maker)
        var builder: ManifestBuilder
        var pieces: [VersionPiece] = []
        var pendingCount = 0
        var content: DocumentContent?
    }

    /// Pieces are given out to be compressed when they hold so much new text: enough for several threads.
    private static let batch = 1 << 20

    private let state: Locked<State>

    /// - Parameters:
    ///   - base: a numbered manifest whose chunks may be taken over.
    ///   - frame: where in the inflated bytes the text is; nil when it is all of them.
    ///   - names: see `DocumentSurvey`.
    init(over base: Manifest?, frame: FramedText? = nil, importedInto names: [StackNames]? = nil) {
        state = Locked(
            State(
                source: TextSource(frame),
                survey: DocumentSurvey(importedInto: names),
                builder: ManifestBuilder(over: base)
            )
        )
    }

    /// Takes the next bytes of the body.
    ///
    /// - Returns: pieces to `add`, when there are enough of them.
    func feed(_ body: [ArraySlice<UInt8>]) throws -> [VersionPiece] {
        try state.withLock { state in
            for piece in body { try state.feed(piece) }
            return state.pendingCount >= Self.batch ? state.takePieces() : []
        }
    }

    /// The last pieces, after the last bytes.
    ///
    /// - Throws: `StateError` when the text is no state, `StateDamage` when it is not the one it should be.
    func finish() throws -> [VersionPiece] {
        try state.withLock { state in
            try state.finish()
            return state.takePieces()
        }
    }

    /// Adds pieces in the order of the text.
    ///
    /// - Parameter packed: the new ones among them, compressed.
    /// - Returns: what the pack goes on with.
    func add(_ pieces: [VersionPiece], packed: [PackedChunk]) -> [UInt8] {
        state.withLock { $0.builder.add(pieces, packed: packed) }
    }

    /// The manifest of all pieces added, and what is recorded beside it.
    func result() throws -> (manifest: Manifest, content: DocumentContent) {
        try state.withLock { state in
            guard let content = state.content else { throw StateDamage.nowhere }
            return (state.builder.finish(content.summary), content)
        }
    }
}

extension VersionAssembly.State {
    mutating func feed(_ body: ArraySlice<UInt8>) throws {
        // Taken out, so that each window is read before the next one is inflated; after an error there is nothing to read.
        guard var source = source.take() else { return }
        try source.feed(body) { try take($0) }
        self.source = consume source
    }

    mutating func finish() throws {
        guard var source = source.take() else { throw StateDamage.nowhere }
        try source.finish { try take($0) }
        do {
            try cutter.finish()
        } catch {
            throw StateError.malformed(error)
        }
        content = try survey.finish()
        take(chunker.finish())
    }

    private mutating func take(_ window: ArraySlice<UInt8>) throws {
        do {
            try cutter.feed(window, into: &cuts)
        } catch {
            throw StateError.malformed(error)
        }
        for cut in cuts { try survey.take(cut) }
        take(chunker.feed(window, cuts: cuts))
        cuts.removeAll(keepingCapacity: true)
    }

    /// Keeps pieces, those that a version before has without their text.
    private mutating func take(_ more: [VersionPiece]) {
        for piece in builder.resolved(more) {
            if case .new(let chunk) = piece { pendingCount += chunk.text.count }
            pieces.append(piece)
        }
    }

    mutating func takePieces() -> [VersionPiece] {
        pendingCount = 0
        defer { pieces = [] }
        return pieces
    }
}
