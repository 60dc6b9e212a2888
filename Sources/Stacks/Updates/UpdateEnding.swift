import Events
package import Kernel
package import Persistence
import StateStore

/// Ends updates: what was acknowledged becomes the stack's next version, whatever the end is.
package struct UpdateEnding: Sendable {
    private let database: Database
    private let effects: Effects
    private let state: StateServices
    private let audit: AuditLog
    private let outbox = Outbox()
    private let stacks = StackStore()
    private let updates = UpdateStore()
    private let versions = StateVersionStore()
    private let checkpoints = CheckpointStore()
    private let references = StackReferenceStore()
    private let journal = SegmentStore(.journal)

    package init(database: Database, effects: Effects, state: StateServices) {
        self.database = database
        self.effects = effects
        self.state = state
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

    /// What an update has come to: its journal or its last checkpoint made durable as a version.
    private struct Outcome: Sendable {
        var version: PreparedVersion?
        /// The number that it gets.
        var number = 0
        /// The stacks that the text reads.
        var references: [StackRef] = []
        var saved = Saved.nothing
        /// What was saved cannot be made a state: the state stays what it was, and what was saved stays for a person to
        /// look at.
        var damage: ServiceError?
        /// Set when damage was met in what is stored: until then it may turn out to be one of the way to it.
        var mayHealUntil: Timestamp?
    }

    /// How long after its lease an update waits for stored bytes that are wrong, before it ends without them.
    private static let patience = Duration.seconds(600)

    /// What an update saved, as rows have it.
    private enum Saved: Sendable, Equatable {
        case nothing
        case checkpoint(SavedText)
        case journal([Segment])

        /// The objects that hold it.
        var objects: [String] {
            switch self {
            case .nothing: []
            case .checkpoint(let saved): saved.objects
            case .journal(let segments): segments.compactMap(\.bytes.object)
            }
        }
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
            if let limit = outcome.mayHealUntil, effects.now() < limit {
                throw ServiceError.stateUnreadable(outcome.number)
            }
            try Failpoint.reach(.endingPrepared)
            let result = try await database.write { [self] tx in
                try finish(id, of: stackID, as: end, with: outcome, by: actor, decide: decide, in: tx)
            }
            guard result == .ended else {
                // What was prepared is nobody's now; what was saved is still the update's.
                await state.objects.discard([outcome.version?.pack?.object].compactMap { $0 })
                if result == .nothingToDo { return }
                continue
            }
            try Failpoint.reach(.updateEnded)
            state.checkpoints.drop(id)
            if outcome.damage == nil { await state.objects.discard(outcome.saved.objects) }
            try Failpoint.reach(.endingDiscarded)
            if let damage = outcome.damage, end.action == .updateCompleted, !end.isExpired { throw damage }
            return
        }
    }

    private func outcome(of id: UpdateID, stack stackID: StackID) async throws -> Outcome {
        let found = try await database.read { [self] tx -> (Stack, Update, StoredVersion?, Saved)? in
            guard let stack = try stacks.find(stackID, in: tx), let update = try updates.find(id, of: stackID, in: tx)
            else { return nil }
            let base = try versions.latest(upTo: stack.version, of: stackID, in: tx)
            return (stack, update, base, try saved(by: update, in: tx))
        }
        guard let (stack, update, base, saved) = found else { return Outcome() }
        var outcome = Outcome(number: update.version, saved: saved)
        do {
            outcome.version = try await version(of: saved, over: base, by: update, of: stackID)
            outcome.references = outcome.version?.references(readBy: stack.ref) ?? []
        } catch let error as ServiceError where error.code == .unavailable {
            throw error
        } catch let error where error is StateDamage || (error as? ServiceError)?.cause is StateDamage {
            outcome.damage = .stateBroken(update.version)
            if update.status == .running {
                outcome.mayHealUntil = update.leaseExpiresAt?.advanced(by: Self.patience)
            }
        } catch let error as ServiceError {
            outcome.damage = error
        }
        return outcome
    }

    private func saved(by update: Update, in tx: Transaction) throws -> Saved {
        if update.journalVersion > 0 {
            let segments = try journal.all(of: update.id, in: tx)
            return segments.isEmpty ? .nothing : .journal(segments)
        }
        return try checkpoints.find(of: update.id, in: tx).map { .checkpoint($0) } ?? .nothing
    }

    /// Makes what was saved durable as a version; what it was made of goes when that is committed.
    private func version(
        of saved: Saved,
        over base: StoredVersion?,
        by update: Update,
        of stack: StackID
    ) async throws -> PreparedVersion? {
        switch saved {
        case .nothing:
            nil
        case .checkpoint(let saved):
            try await state.checkpoints.version(of: saved, by: update.id, over: base, of: stack)
        case .journal(let segments):
            try await fold(segments, over: base, by: update, of: stack)
        }
    }

    private func fold(
        _ segments: [Segment],
        over base: StoredVersion?,
        by update: Update,
        of stack: StackID
    ) async throws -> PreparedVersion {
        let document = try await state.reader.fold(segments, over: base, of: update)
        try Failpoint.reach(.foldDone)
        return try await state.writer.write(document, over: base?.version, of: stack)
    }

    private enum FinishResult: Sendable {
        case ended
        /// The update has ended before, or may not end so.
        case nothingToDo
        /// Something was saved since the outcome was made.
        case outdated
    }

    private func finish(
        _ id: UpdateID,
        of stackID: StackID,
        as end: End,
        with outcome: Outcome,
        by actor: Actor,
        decide: (Update) throws -> Bool,
        in tx: Transaction
    ) throws -> FinishResult {
        guard let stack = try stacks.lock(stackID, in: tx), let update = try updates.find(id, of: stackID, in: tx)
        else {
            throw ServiceError.updateNotFound(id)
        }
        guard try decide(update) else { return .nothingToDo }
        guard try hasSaved(outcome.saved, update, in: tx) else { return .outdated }
        let now = effects.now()
        let status = outcome.damage == nil ? end.status : .failed
        if !update.isPreview {
            try settle(update, of: stack, outcome, at: now, in: tx)
        }
        try updates.finish(
            id,
            status: status,
            expired: end.isExpired,
            resourceCount: outcome.version?.resourceCount,
            at: now,
            in: tx
        )
        try Failpoint.reach(.updateFinished)
        try record(end, update, stack, status: status, by: actor, at: now, in: tx)
        return .ended
    }

    /// Whether what an update has saved is still that.
    private func hasSaved(_ saved: Saved, _ update: Update, in tx: Transaction) throws -> Bool {
        // Batches are only ever added.
        if case .journal(let segments) = saved { return try journal.count(of: update.id, in: tx) == segments.count }
        return try self.saved(by: update, in: tx) == saved
    }

    /// Makes the saved text the stack's state and lets go of the stack.
    private func settle(
        _ update: Update,
        of stack: Stack,
        _ outcome: Outcome,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        if let version = outcome.version {
            try versions.insert(version, as: update.version, of: stack.id, by: update.id, at: now, in: tx)
            try references.replace(outcome.references, of: stack.id, in: tx)
            try Failpoint.reach(.versionInserted)
        }
        if outcome.damage == nil {
            try checkpoints.delete(of: update.id, in: tx)
            try journal.deleteAll(of: update.id, in: tx)
            try Failpoint.reach(.savedDeleted)
        }
        try stacks.release(stack.id, version: update.version, resourceCount: outcome.version?.resourceCount, in: tx)
        try Failpoint.reach(.stackReleased)
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
