import Events
package import Kernel
package import Persistence
import StateStore

/// Ends updates: what was acknowledged becomes the stack's next version, whatever the end is.
package struct UpdateEnding: Sendable {
    private let database: Database
    private let effects: Effects
    private let reader: StateReader
    private let texts: StateTexts
    private let audit: AuditLog
    private let outbox = Outbox()
    private let stacks = StackStore()
    private let updates = UpdateStore()
    private let versions = StateVersionStore()
    private let references = StackReferenceStore()
    private let journal = SegmentStore(.journal)

    package init(database: Database, effects: Effects, reader: StateReader, texts: StateTexts) {
        self.database = database
        self.effects = effects
        self.reader = reader
        self.texts = texts
        audit = AuditLog(effects: effects)
    }

    /// How an update ends.
    package struct End: Sendable {
        package var status: UpdateStatus
        package var isExpired: Bool
        package var action: AuditAction

        package static func completed(_ status: UpdateStatus) -> End {
            End(status: status, isExpired: false, action: .updateCompleted)
        }

        package static let cancelled = End(status: .cancelled, isExpired: false, action: .updateCanceled)
        package static let expired = End(status: .failed, isExpired: true, action: .updateCompleted)
    }

    /// What an update has come to: its journal made durable as one text, or its last checkpoint.
    private struct Outcome: Sendable {
        var text: StateText?
        /// The stacks that the text reads; nil when nobody knows.
        var references: [StackRef]?
        /// How many batches of the journal went into it.
        var segments = 0
        /// The number of the checkpoint.
        var sequence: Int?
        /// The journal cannot be replayed: the state stays what it was, and the batches stay for a person to look at.
        var damage: ServiceError?
    }

    /// Ends an update that runs.
    ///
    /// The text is made outside of the transaction; if something was saved meanwhile, it is made again.
    ///
    /// - Parameter decide: checks inside the transaction that the update may end so; answers false for nothing to do.
    package func end(
        _ id: UpdateID,
        of stackID: StackID,
        as end: End,
        by actor: Actor,
        decide: @escaping @Sendable (Update) throws -> Bool
    ) async throws {
        while true {
            let outcome = try await outcome(of: id, stack: stackID)
            let isDone = try await database.write { [self] tx in
                try finish(id, of: stackID, as: end, with: outcome, by: actor, decide: decide, in: tx)
            }
            guard isDone else { continue }
            if let damage = outcome.damage, end.action == .updateCompleted, !end.isExpired { throw damage }
            return
        }
    }

    private func outcome(of id: UpdateID, stack stackID: StackID) async throws -> Outcome {
        let found = try await database.read { [self] tx -> (Stack, Update, StateVersion?, Saved)? in
            guard let stack = try stacks.find(stackID, in: tx), let update = try updates.find(id, of: stackID, in: tx)
            else { return nil }
            let base = try versions.latest(upTo: stack.version, of: stackID, in: tx)
            guard update.journalVersion > 0 else {
                return (stack, update, base, .checkpoint(try versions.checkpoint(of: id, in: tx)))
            }
            return (stack, update, base, .journal(try journal.all(of: id, in: tx)))
        }
        guard let (stack, update, base, saved) = found else { return Outcome() }
        switch saved {
        case .checkpoint(nil):
            return Outcome()
        case .checkpoint((let sequence, let text)?):
            let references = try await reader.references(of: text, readBy: stack.ref)
            return Outcome(text: text, references: references, sequence: sequence)
        case .journal(let segments):
            return try await fold(segments, over: base?.text, of: update, stack)
        }
    }

    /// What an update saved, as rows have it.
    private enum Saved: Sendable {
        case checkpoint((sequence: Int, text: StateText)?)
        case journal([Segment])
    }

    private func fold(
        _ segments: [Segment],
        over base: StateText?,
        of update: Update,
        _ stack: Stack
    ) async throws -> Outcome {
        guard !segments.isEmpty else { return Outcome() }
        do {
            let document = try await reader.fold(segments, over: base, of: update)
            let text = try await texts.store(document.text(), of: stack.id, resourceCount: document.resourceCount)
            // The batches go when the version is committed, so it is read back before.
            _ = try await texts.load(text)
            return Outcome(
                text: text,
                references: document.references(readBy: stack.ref),
                segments: segments.count
            )
        } catch let error as ServiceError where error.code != .unavailable {
            return Outcome(segments: segments.count, damage: error)
        }
    }

    /// - Returns: false when something was saved since the outcome was made.
    private func finish(
        _ id: UpdateID,
        of stackID: StackID,
        as end: End,
        with outcome: Outcome,
        by actor: Actor,
        decide: (Update) throws -> Bool,
        in tx: Transaction
    ) throws -> Bool {
        guard let stack = try stacks.lock(stackID, in: tx), let update = try updates.find(id, of: stackID, in: tx)
        else {
            throw ServiceError.updateNotFound(id)
        }
        guard try decide(update) else { return true }
        if update.journalVersion > 0 {
            guard try journal.count(of: id, in: tx) == outcome.segments else { return false }
        } else {
            let saved = try versions.checkpoint(of: id, in: tx)
            guard saved?.sequence == outcome.sequence, saved?.text == outcome.text else { return false }
        }
        let now = effects.now()
        let status = outcome.damage == nil ? end.status : .failed
        if !update.isPreview {
            try settle(update, of: stack, outcome, at: now, in: tx)
        }
        try updates.finish(
            id,
            status: status,
            expired: end.isExpired,
            resourceCount: outcome.text?.resourceCount,
            at: now,
            in: tx
        )
        try record(end, update, stack, status: status, by: actor, at: now, in: tx)
        return true
    }

    /// Makes the saved text the stack's state and lets go of the stack.
    private func settle(
        _ update: Update,
        of stack: Stack,
        _ outcome: Outcome,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        if let text = outcome.text {
            let version = StateVersion(version: update.version, update: update.id, text: text, createdAt: now)
            try versions.insert(version, of: stack.id, in: tx)
            if let references = outcome.references { try self.references.replace(references, of: stack.id, in: tx) }
        }
        try versions.deleteCheckpoint(of: update.id, in: tx)
        if outcome.damage == nil { try journal.deleteAll(of: update.id, in: tx) }
        try stacks.release(stack.id, version: update.version, resourceCount: outcome.text?.resourceCount, in: tx)
    }

    private func record(
        _ end: End,
        _ update: Update,
        _ stack: Stack,
        status: UpdateStatus,
        by actor: Actor,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        let event = DomainEvent(
            id: effects.id(),
            kind: "update.\(status.rawValue)",
            organization: stack.organization,
            payload: update.id.description,
            at: now
        )
        try outbox.publish(event, in: tx)
        try audit.append(
            end.action,
            on: stack.ref.description,
            in: .organization(stack.organization),
            by: actor,
            at: now,
            details: [
                AuditEvent.Detail("update", update.id.description), AuditEvent.Detail("kind", update.kind.rawValue),
                AuditEvent.Detail("result", end.isExpired ? "expired" : status.rawValue),
            ],
            tx: tx
        )
    }
}
