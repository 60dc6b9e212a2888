import Compression
package import Kernel
package import StateStore

/// The texts that running updates have saved: a whole state with the differences since.
///
/// A few texts are held in memory while their updates send differences, because each of these is applied to the text
/// before.
package final class CheckpointTexts: Sendable {
    private struct Held: Sendable {
        var sequence: Int
        var hash: [UInt8]
        var text: PiecedText
        var lastUse: UInt64
    }

    private struct State {
        var held: [UpdateID: Held] = [:]
        var uses: UInt64 = 0
    }

    private static let deadline = Duration.seconds(60)
    /// The most bytes of texts held in memory; any one of them may be as large.
    private static let holdLimit = 128 << 20
    /// A text in more pieces than this is joined: each edit makes some.
    private static let pieceLimit = 256

    private let objects: StateObjects
    private let writer: VersionWriter
    private let reader: VersionReader
    private let compute: BlockingPool
    private let state = Locked(State())

    package init(objects: StateObjects, writer: VersionWriter, reader: VersionReader, compute: BlockingPool) {
        self.objects = objects
        self.writer = writer
        self.reader = reader
        self.compute = compute
    }

    /// The text of a save, in memory.
    ///
    /// - Throws: `StateDamage` when it is not what was saved.
    package func text(of saved: SavedText, by update: UpdateID) async throws -> PiecedText {
        if let held = held(update), held.sequence == saved.sequence, held.hash == saved.hash { return held.text }
        return try await objects.readAgain { try await readText(of: saved) }
    }

    private func readText(of saved: SavedText) async throws -> PiecedText {
        var text = try await text(of: saved.checkpoint)
        for delta in saved.deltas {
            let body = try await objects.bytes(delta.bytes)
            let base = text
            text = try await compute.run(WorkWeight(bytes: base.count), deadline: Self.deadline) {
                guard let delta = try? CheckpointDelta(body: Self.inflated(body)[...]),
                    let edited = try? delta.edited(base)
                else { throw StateDamage.checksum }
                return edited
            }
        }
        guard let last = saved.deltas.last else { return text }
        let whole = text
        return try await compute.run(WorkWeight(bytes: whole.count), deadline: Self.deadline) {
            guard whole.hash() == last.hash else { throw StateDamage.checksum }
            return whole
        }
    }

    /// Makes a save the text of a version; memory does not grow with it when it holds no differences.
    ///
    /// Chunks of the base are taken over only when their stored bytes are sound: the save has all of the text, and must
    /// not become unreadable by damage that came before it.
    package func version(
        of saved: SavedText,
        by update: UpdateID,
        over base: StoredVersion?,
        of stack: StackID
    ) async throws -> PreparedVersion {
        let prepared = try await write(saved, by: update, over: base?.version, of: stack)
        guard let base, !(try await reader.isSound(prepared.manifest, over: base)) else { return prepared }
        await objects.discard([prepared.pack?.object].compactMap { $0 })
        return try await write(saved, by: update, over: nil, of: stack)
    }

    private func write(
        _ saved: SavedText,
        by update: UpdateID,
        over base: StateVersion?,
        of stack: StackID
    ) async throws -> PreparedVersion {
        guard saved.deltas.isEmpty else {
            return try await writer.write(text(of: saved, by: update).pieces, over: base, of: stack)
        }
        let framed = saved.checkpoint.text
        switch saved.checkpoint.bytes {
        case .row(let bytes):
            return try await writer.write(AsyncPieces([bytes[...]]), framed: framed, over: base, of: stack)
        case .object(let key):
            return try await objects.readAgain {
                let pieces = try await objects.stream(key).map { $0[...] }
                return try await writer.write(pieces, framed: framed, over: base, of: stack)
            }
        }
    }

    /// Holds a text for the next difference.
    func hold(_ text: PiecedText, sequence: Int, hash: [UInt8], of update: UpdateID) async throws {
        guard text.count <= Self.holdLimit else { return drop(update) }
        var text = text
        if text.pieces.count > Self.pieceLimit {
            let pieces = text
            text = try await compute.run(WorkWeight(bytes: pieces.count), deadline: Self.deadline) {
                PiecedText(pieces.joined())
            }
        }
        let held = text
        state.withLock { state in
            state.uses += 1
            state.held[update] = Held(sequence: sequence, hash: hash, text: held, lastUse: state.uses)
            while state.held.values.reduce(0, { $0 + $1.text.count }) > Self.holdLimit,
                let oldest = state.held.min(by: { $0.value.lastUse < $1.value.lastUse })
            {
                state.held[oldest.key] = nil
            }
        }
    }

    /// Holds an update's text no longer.
    package func drop(_ update: UpdateID) {
        state.withLock { _ = $0.held.removeValue(forKey: update) }
    }

    private func held(_ update: UpdateID) -> Held? {
        state.withLock { state in
            state.uses += 1
            state.held[update]?.lastUse = state.uses
            return state.held[update]
        }
    }

    private func text(of checkpoint: SavedCheckpoint) async throws -> PiecedText {
        let body = try await objects.bytes(checkpoint.bytes)
        let frame = checkpoint.text.frame
        return try await compute.run(WorkWeight(bytes: frame.textCount), deadline: Self.deadline) {
            let inflated = try Self.inflated(body)
            guard frame.range.upperBound <= inflated.count,
                PiecedText([inflated[frame.range], frame.prefix[...]]).hash() == checkpoint.text.hash
            else { throw StateDamage.checksum }
            return PiecedText([frame.prefix[...], inflated[frame.range], frame.suffix[...]])
        }
    }

    private static func inflated(_ body: [UInt8]) throws -> [UInt8] {
        guard body.first == 0x1f else { return body }
        guard let text = try? Gzip.gunzip(body[...], limit: BodyInflater.textLimit) else { throw StateDamage.checksum }
        return text
    }
}

extension PiecedText {
    /// SHA-256 of the text.
    fileprivate func hash() -> [UInt8] {
        let hash = StateHash()
        for piece in pieces { hash.update(piece) }
        return hash.finalize()
    }
}
