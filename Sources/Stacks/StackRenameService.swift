import Events
package import Kernel
import Persistence
import StateStore

/// Moves stacks to other names, with the names inside of their state.
package struct StackRenameService: Sendable {
    private static let deadline = Duration.seconds(60)

    private let effects: Effects
    private let reader: StateReader
    private let texts: StateTexts
    private let compute: BlockingPool
    private let hold: StackHold
    private let audit: AuditLog
    private let outbox = Outbox()
    private let stacks = StackStore()
    private let tags = StackTagStore()
    private let updates = UpdateStore()
    private let versions = StateVersionStore()

    package init(effects: Effects, reader: StateReader, texts: StateTexts, compute: BlockingPool, hold: StackHold) {
        self.effects = effects
        self.reader = reader
        self.texts = texts
        self.compute = compute
        self.hold = hold
        audit = AuditLog(effects: effects)
    }

    /// Another version came between reading the state and writing it under its new names.
    private struct StateMoved: Error {}

    /// Moves a stack to another name or project of its organization.
    ///
    /// The state under the new names is the stack's next version, of kind `rename` in history. Ciphertexts stay good: the
    /// key follows the stack. The tag of the project follows, too.
    ///
    /// - Throws: `.conflict` while an update holds the stack, or when the new name is taken.
    package func rename(_ old: StackRef, to new: StackRef, by actor: Actor) async throws -> UpdateID {
        guard old != new else { throw ServiceError.renameChangesNothing }
        let id: UpdateID = effects.id()
        while true {
            let source = try await hold.write(old) { [self] stack, tx in
                guard try stacks.find(new, in: tx) == nil else { throw ServiceError.stackExists(new) }
                return (stack, try reader.source(of: stack, in: tx))
            }
            let text = try await renamedText(source.1, of: source.0, to: new)
            do {
                try await hold.write(old) { [self] stack, tx in
                    guard stack.version == source.0.version else { throw StateMoved() }
                    try commit(id, stack, to: new, text: text, by: actor, in: tx)
                }
                return id
            } catch is StateMoved {
                continue
            }
        }
    }

    private func renamedText(
        _ source: StateReader.Source,
        of stack: Stack,
        to new: StackRef
    ) async throws -> StateText? {
        if case .never = source { return nil }
        let text = try await reader.text(source)
        let rename = StackRename(from: StackNames(stack.ref), to: StackNames(new))
        let (renamed, count) = try await compute.run(deadline: Self.deadline) { () throws -> ([UInt8], Int) in
            do {
                let renamed = try rename.apply(to: text[...])
                return (Array(renamed), try SummaryReader.summary(of: [renamed]).resourceCount)
            } catch let error as StateError {
                throw error.serviceError
            }
        }
        return try await texts.store(renamed, of: stack.id, resourceCount: count)
    }

    private func commit(
        _ id: UpdateID,
        _ stack: Stack,
        to new: StackRef,
        text: StateText?,
        by actor: Actor,
        in tx: Transaction
    ) throws {
        let now = effects.now()
        do {
            try stacks.rename(stack.id, to: new, in: tx)
        } catch DatabaseError.duplicate {
            throw ServiceError.stackExists(new)
        }
        try stacks.rememberFormerName(stack.ref, in: stack.organization, of: stack.id, at: now, tx: tx)
        try stacks.forgetFormerName(new, in: stack.organization, tx: tx)
        if stack.ref.project != new.project {
            try tags.set(StackTags.project, to: new.project.rawValue, on: stack.id, in: tx)
        }
        if let text { try record(id, text, of: stack, by: actor, at: now, in: tx) }
        try outbox.publish(
            DomainEvent(
                id: effects.id(),
                kind: "stack.renamed",
                organization: stack.organization,
                payload: stack.id.description,
                at: now
            ),
            in: tx
        )
        try audit.append(
            .stackRenamed,
            on: new.description,
            in: .organization(stack.organization),
            by: actor,
            at: now,
            details: [AuditEvent.Detail("from", stack.ref.description)],
            tx: tx
        )
    }

    /// The state under its new names, as the stack's next version.
    ///
    /// A stack without state has nothing to record.
    private func record(
        _ id: UpdateID,
        _ text: StateText,
        of stack: Stack,
        by actor: Actor,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        let update = Update.finished(
            id,
            .rename,
            of: stack,
            by: actor,
            resourceCount: text.resourceCount,
            at: now
        )
        try updates.insert(update, in: tx)
        let version = StateVersion(version: update.version, update: id, text: text, createdAt: now)
        try versions.insert(version, of: stack.id, in: tx)
        try stacks.advance(
            stack.id,
            version: update.version,
            update: id,
            resourceCount: text.resourceCount,
            at: now,
            in: tx
        )
    }
}
