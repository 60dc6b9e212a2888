import Crypto
package import Kernel
package import Persistence
package import StateStore

/// Saves of updates without a journal.
///
/// Each holds the whole state, or its difference to the save before (`spec/cli-protocol.md` §11). Bodies are kept as
/// they came; what they come to is made a version when the update ends.
package struct CheckpointService: Sendable {
    private static let deadline = Duration.seconds(60)
    /// After so many differences the whole text is stored anew: all of them must be applied to read it.
    private static let longestChain = 128

    private let database: Database
    private let effects: Effects
    private let objects: StateObjects
    private let texts: CheckpointTexts
    private let intake: StateIntake
    private let compute: BlockingPool
    private let stacks = StackStore()
    private let updates = UpdateStore()
    private let checkpoints = CheckpointStore()

    package init(database: Database, effects: Effects, state: StateServices, compute: BlockingPool) {
        self.database = database
        self.effects = effects
        self.compute = compute
        objects = state.objects
        texts = state.checkpoints
        intake = StateIntake(objects: objects, compute: compute)
    }

    /// Saves a whole state.
    ///
    /// Answered only when it is durable.
    ///
    /// - Parameter body: as it was sent, gzip or plain.
    package func save<Body: AsyncSequence>(
        _ body: Body,
        as form: CheckpointReader.Form,
        of update: UpdateID,
        stack: StackID
    ) async throws where Body.Element == ArraySlice<UInt8> {
        let (outline, bytes) = try await intake.take(
            body,
            with: { CheckpointReader(form, hash: StateHash.maker) },
            of: stack
        )
        try Failpoint.reach(.checkpointStored)
        guard let outline else {
            await objects.discard([bytes.object].compactMap { $0 })
            return try await database.read { [self] tx in _ = try requireSaving(update, of: stack, in: tx) }
        }
        let saved = SavedCheckpoint(
            sequence: Int(outline.sequenceNumber ?? 0),
            text: FramedText(frame: outline.frame, hash: outline.hash),
            bytes: bytes,
            resourceCount: outline.resourceCount
        )
        let before = try await replace(with: saved, form: form, of: update, stack: stack)
        try Failpoint.reach(.checkpointSaved)
        await objects.discard(before)
        try Failpoint.reach(.checkpointDiscarded)
    }

    /// Writes the row that names a whole state, if the update may still save.
    ///
    /// - Returns: the objects that no row names any more.
    private func replace(
        with saved: SavedCheckpoint,
        form: CheckpointReader.Form,
        of update: UpdateID,
        stack: StackID
    ) async throws -> [String] {
        try await database.write { [self] tx in
            let before = try lockSaving(update, of: stack, in: tx)
            let sequence = Self.sequence(before)
            var saved = saved
            if form == .plain {
                // It has no number of its own. To count it would let numbered saves that follow look like old ones.
                saved.sequence = Int(sequence.last)
            } else {
                switch sequence.decide(.verbatim(Int64(saved.sequence))) {
                case .store, .apply: break
                case .repeat: return [saved.bytes.object].compactMap { $0 }
                case .refuse(let problem): throw Self.refusal(problem)
                }
            }
            try checkpoints.replace(with: saved, of: update, at: effects.now(), in: tx)
            try Failpoint.reach(.checkpointReplaced)
            return before?.objects ?? []
        }
    }

    /// Saves a difference.
    ///
    /// Answered only when it is durable.
    ///
    /// - Parameter received: the body as it was sent, gzip or plain.
    /// - Throws: `.invalidArgument` when it does not fit what was saved before: the client then sends the whole state.
    package func saveDelta(_ received: [UInt8], of update: UpdateID, stack: StackID) async throws {
        let delta = try await compute.run(WorkWeight(bytes: received.count), deadline: Self.deadline) {
            try Self.read(received)
        }
        let request = CheckpointSequence.Request.delta(delta.sequenceNumber, hash: delta.checkpointHash)
        let found = try await database.read { [self] tx in
            try requireSaving(update, of: stack, in: tx)
            return try checkpoints.find(of: update, in: tx)
        }
        switch Self.sequence(found).decide(request) {
        case .store, .apply: break
        case .repeat: return
        case .refuse(let problem): throw Self.refusal(problem)
        }
        guard let before = found else { throw Self.refusal("there is no save to apply it to") }
        let base = try await text(of: before, by: update, stack: stack)
        let (text, count) = try await apply(delta, to: base)
        guard let hash = Hex.decode(delta.checkpointHash) else { throw Self.refusal("checkpointHash is no SHA-256") }
        let sequence = Int(delta.sequenceNumber)
        if before.deltas.count < Self.longestChain {
            let bytes = try await store(received, of: stack)
            try Failpoint.reach(.deltaStored)
            let saved = SavedDelta(sequence: sequence, hash: hash, bytes: bytes, resourceCount: count)
            try await commit(request, after: before, of: update, stack: stack) { [self] tx in
                try checkpoints.insert(saved, of: update, at: effects.now(), in: tx)
                try Failpoint.reach(.deltaInserted)
            }
            try Failpoint.reach(.deltaSaved)
        } else {
            try Failpoint.reach(.deltaWholeStore)
            let saved = SavedCheckpoint(
                sequence: sequence,
                text: FramedText(frame: CheckpointFrame(prefix: [], range: 0..<text.count), hash: hash),
                bytes: .object(try await objects.put(AsyncPieces(text.pieces.map { Array($0) }), of: stack)),
                resourceCount: count
            )
            try Failpoint.reach(.deltaWholeStored)
            try await commit(request, after: before, of: update, stack: stack) { [self] tx in
                try checkpoints.replace(with: saved, of: update, at: effects.now(), in: tx)
                try Failpoint.reach(.deltaWholeReplaced)
            }
            try Failpoint.reach(.deltaWholeSaved)
            await objects.discard(before.objects)
            try Failpoint.reach(.deltaWholeDiscarded)
        }
        try await texts.hold(text, sequence: sequence, hash: hash, of: update)
    }

    /// Writes what a delta came to, if nothing was saved since it was applied.
    private func commit(
        _ request: CheckpointSequence.Request,
        after before: SavedText,
        of update: UpdateID,
        stack: StackID,
        write: @escaping @Sendable (Transaction) throws -> Void
    ) async throws {
        try await database.write { [self] tx in
            let now = try lockSaving(update, of: stack, in: tx)
            if now == before { return try write(tx) }
            guard Self.sequence(now).decide(request) == .repeat else { throw Self.refusal("another save came first") }
        }
    }

    /// The text of the last save.
    ///
    /// A save that takes its place, and the end of its update, take its objects away: the client is told that then.
    private func text(of saved: SavedText, by update: UpdateID, stack: StackID) async throws -> PiecedText {
        do {
            return try await texts.text(of: saved, by: update)
        } catch let damage as StateDamage {
            let now = try await database.read { [self] tx in
                try requireSaving(update, of: stack, in: tx)
                return try checkpoints.find(of: update, in: tx)
            }
            guard now == saved else { throw Self.refusal("another save came first") }
            throw damage
        }
    }

    // MARK: - Rules

    /// Locks the stack.
    ///
    /// - Returns: what the update has saved so far.
    /// - Throws: when the update may not save.
    private func lockSaving(_ update: UpdateID, of stack: StackID, in tx: Transaction) throws -> SavedText? {
        guard try stacks.lock(stack, in: tx) != nil else { throw ServiceError.updateNotFound(update) }
        try requireSaving(update, of: stack, in: tx)
        return try checkpoints.find(of: update, in: tx)
    }

    private func requireSaving(_ id: UpdateID, of stack: StackID, in tx: Transaction) throws {
        guard let update = try updates.find(id, of: stack, in: tx) else { throw ServiceError.updateNotFound(id) }
        guard !update.isPreview else { throw ServiceError.previewsWriteNothing }
        try UpdateLifecycle.requireWritable(update)
        guard update.journalVersion == 0 else { throw ServiceError.updateIsJournaled }
    }

    private func store(_ received: [UInt8], of stack: StackID) async throws -> StoredBytes {
        guard received.count > objects.rowLimit else { return .row(received) }
        try Failpoint.reach(.deltaStore)
        return .object(try await objects.put(AsyncPieces([received]), of: stack))
    }

    private static func read(_ received: [UInt8]) throws -> CheckpointDelta {
        let body = try BodyInflater.text(of: received)
        do {
            return try CheckpointDelta(body: body[...])
        } catch {
            throw error.serviceError
        }
    }

    /// The text after a delta, and how many resources it has; it is hashed and read side by side.
    private func apply(_ delta: CheckpointDelta, to base: PiecedText) async throws -> (PiecedText, Int) {
        do {
            let weight = WorkWeight(bytes: base.count)
            let text = try await compute.run(weight, deadline: Self.deadline) { try delta.edited(base) }
            guard text.count <= BodyInflater.textLimit else { throw Self.refusal("the result is too large") }
            async let hashed: Void = compute.run(weight, deadline: Self.deadline) {
                try delta.check(text, hash: StateHash.maker)
            }
            async let summary = compute.run(weight, deadline: Self.deadline) {
                try SummaryReader.summary(of: text.pieces)
            }
            try await hashed
            return (text, try await summary.resourceCount)
        } catch let error as StateError {
            throw error.serviceError
        }
    }

    private static func sequence(_ saved: SavedText?) -> CheckpointSequence {
        guard let saved else { return CheckpointSequence() }
        return CheckpointSequence(last: Int64(saved.sequence), textHash: Hex.encode(saved.hash))
    }

    private static func refusal(_ problem: String) -> ServiceError {
        StateError.deltaRefused(problem).serviceError
    }
}
