import Crypto
package import Kernel
package import Persistence
import StateStore

/// Saves of updates without a journal.
///
/// Each holds the whole state, or its difference to the save before.
package struct CheckpointService: Sendable {
    /// The most bytes of a state's text.
    private static let textLimit = 512 << 20
    private static let deadline = Duration.seconds(60)

    private let database: Database
    private let effects: Effects
    private let texts: StateTexts
    private let compute: BlockingPool
    private let stacks = StackStore()
    private let updates = UpdateStore()
    private let versions = StateVersionStore()

    package init(database: Database, effects: Effects, texts: StateTexts, compute: BlockingPool) {
        self.database = database
        self.effects = effects
        self.texts = texts
        self.compute = compute
    }

    /// Reads a body and saves what it says.
    ///
    /// Answered only when it is durable.
    ///
    /// - Parameter read: cuts the body on a thread for such work.
    package func save(
        _ body: [UInt8],
        of update: UpdateID,
        stack: StackID,
        reading read: @escaping @Sendable ([UInt8]) throws -> CheckpointBody
    ) async throws {
        let parsed = try await compute.run(deadline: Self.deadline) { try read(body) }
        switch parsed {
        case .plain(nil):
            _ = try await database.read { [self] tx in try requireSaving(update, of: stack, in: tx) }
        case .plain(let document?):
            let count = document.resourceCount
            let text = try await compute.run(deadline: Self.deadline) { document.text() }
            let stored = try await texts.store(text, of: stack, resourceCount: count)
            try await commit(stored, of: update, stack: stack) { Int($0.last) + 1 }
        case .verbatim(let text, let count, let sequence):
            let stored = try await texts.store(Array(text), of: stack, resourceCount: count)
            try await commit(stored, of: update, stack: stack) { saved in
                switch saved.decide(.verbatim(Int64(sequence))) {
                case .store, .apply: return sequence
                case .repeat: return nil
                case .refuse(let problem): throw Self.refusal(problem)
                }
            }
        case .delta(let delta):
            try await saveDelta(delta, of: update, stack: stack)
        }
    }

    private func saveDelta(_ delta: CheckpointDelta, of update: UpdateID, stack: StackID) async throws {
        let request = CheckpointSequence.Request.delta(delta.sequenceNumber, hash: delta.checkpointHash)
        let base = try await database.read { [self] tx in
            try requireSaving(update, of: stack, in: tx)
            return try versions.checkpoint(of: update, in: tx)
        }
        let before = Self.sequence(base)
        switch before.decide(request) {
        case .store, .apply: break
        case .repeat: return
        case .refuse(let problem): throw Self.refusal(problem)
        }
        guard let base else { throw Self.refusal("there is no save to apply it to") }
        let baseText = try await texts.load(base.text)
        let (text, count) = try await compute.run(deadline: Self.deadline) { () throws -> ([UInt8], Int) in
            do {
                let (text, summary) = try delta.apply(to: PiecedText(baseText), hash: StateHash.maker)
                guard text.count <= Self.textLimit else { throw Self.refusal("the result is too large") }
                return (text.joined(), summary.resourceCount)
            } catch let error as StateError {
                throw error.serviceError
            }
        }
        let stored = try await texts.store(text, of: stack, resourceCount: count)
        try await commit(stored, of: update, stack: stack) { saved in
            if saved == before { return Int(delta.sequenceNumber) }
            guard saved.decide(request) == .repeat else { throw Self.refusal("another save came first") }
            return nil
        }
    }

    /// Writes the row that names the text, if the update may still save.
    ///
    /// - Parameter sequence: the number of this save after the last one; nil when there is nothing to write.
    private func commit(
        _ text: StateText,
        of update: UpdateID,
        stack: StackID,
        sequence: @escaping @Sendable (CheckpointSequence) throws -> Int?
    ) async throws {
        try await database.write { [self] tx in
            guard try stacks.lock(stack, in: tx) != nil else { throw ServiceError.updateNotFound(update) }
            try requireSaving(update, of: stack, in: tx)
            let saved = Self.sequence(try versions.checkpoint(of: update, in: tx))
            guard let number = try sequence(saved) else { return }
            try versions.setCheckpoint(text, sequence: number, of: update, at: effects.now(), in: tx)
        }
    }

    @discardableResult
    private func requireSaving(_ id: UpdateID, of stack: StackID, in tx: Transaction) throws -> Update {
        guard let update = try updates.find(id, of: stack, in: tx) else { throw ServiceError.updateNotFound(id) }
        guard !update.isPreview else { throw ServiceError.previewsWriteNothing }
        try UpdateLifecycle.requireWritable(update)
        guard update.journalVersion == 0 else { throw ServiceError.updateIsJournaled }
        return update
    }

    private static func sequence(_ checkpoint: (sequence: Int, text: StateText)?) -> CheckpointSequence {
        guard let checkpoint else { return CheckpointSequence() }
        return CheckpointSequence(last: Int64(checkpoint.sequence), textHash: Hex.encode(checkpoint.text.hash))
    }

    private static func refusal(_ problem: String) -> ServiceError {
        StateError.deltaRefused(problem).serviceError
    }
}
