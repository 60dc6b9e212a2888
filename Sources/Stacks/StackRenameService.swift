import Events
package import Kernel
import Persistence

/// Moves stacks to other names and to other organizations, with the names inside of their state.
package struct StackRenameService: Sendable {
    private let effects: Effects
    private let reader: StateReader
    private let states: MovedStates
    private let hold: StackHold
    private let audit: AuditLog
    private let outbox = Outbox()
    private let stacks = StackStore()
    private let tags = StackTagStore()

    package init(effects: Effects, reader: StateReader, states: MovedStates, hold: StackHold) {
        self.effects = effects
        self.reader = reader
        self.states = states
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
        let move = Move(update: effects.id(), to: new, actor: actor)
        try await carryOut(move, from: old)
        return move.update
    }

    /// Gives a stack to another organization, under its project and name.
    ///
    /// Its key follows it, and so do its history and the grants of those who belong to the new organization, too. The
    /// names it had in the old one are forgotten, so that nothing of it can be reached from there.
    ///
    /// - Throws: `.conflict` while an update holds the stack, or when the name is taken there; `.notFound` when the caller
    ///   does not belong to the new organization.
    package func transfer(_ old: StackRef, to organization: OrganizationName, by actor: Actor) async throws {
        guard old.organization != organization else { throw ServiceError.transferChangesNothing }
        var new = old
        new.organization = organization
        try await carryOut(Move(update: effects.id(), to: new, actor: actor), from: old)
    }

    /// What a stack is moved to, and by whom.
    private struct Move: Sendable {
        var update: UpdateID
        var to: StackRef
        var actor: Actor
    }

    private func carryOut(_ move: Move, from old: StackRef) async throws {
        while true {
            let (stack, source) = try await hold.write(old) { [self] stack, tx in
                _ = try target(of: move, from: stack, in: tx)
                guard try stacks.find(move.to, in: tx) == nil else { throw ServiceError.stackExists(move.to) }
                return (stack, try reader.source(of: stack, in: tx))
            }
            let state = try await states.moved(source, of: stack, to: move.to)
            try Failpoint.reach(.renamePrepared)
            do {
                try await hold.write(old) { [self] current, tx in
                    guard current.version == stack.version else { throw StateMoved() }
                    // lint: failpoint because it is no commit of a transaction, but what stands in one.
                    try commit(move, current, state, in: tx)
                }
                return try Failpoint.reach(.renameDone)
            } catch is StateMoved {
                continue
            }
        }
    }

    /// The organization that the stack will be in.
    private func target(of move: Move, from stack: Stack, in tx: Transaction) throws -> OrganizationID {
        guard move.to.organization != stack.ref.organization else { return stack.organization }
        guard move.actor.confinement == nil, let user = move.actor.userID,
            let organization = try stacks.findOrganization(move.to.organization, whereCanCreate: user, in: tx)
        else { throw ServiceError.transferTargetUnknown(move.to.organization) }
        return organization
    }

    private func commit(_ move: Move, _ stack: Stack, _ state: MovedState?, in tx: Transaction) throws {
        let now = effects.now()
        let organization = try target(of: move, from: stack, in: tx)
        let isTransfer = organization != stack.organization
        do {
            try stacks.move(stack.id, to: move.to, in: organization, tx: tx)
        } catch DatabaseError.duplicate {
            throw ServiceError.stackExists(move.to)
        }
        try Failpoint.reach(.renameMoved)
        if isTransfer {
            try stacks.leave(stack, for: organization, newOwner: move.actor.userID, tx: tx)
        } else {
            try stacks.rememberFormerName(stack.ref, in: organization, of: stack.id, at: now, tx: tx)
        }
        try stacks.forgetFormerName(move.to, in: organization, tx: tx)
        if stack.ref.project != move.to.project {
            try tags.set(StackTags.project, to: move.to.project.rawValue, on: stack.id, in: tx)
        }
        if let state { try states.record(state, move.update, of: stack, by: move.actor, at: now, in: tx) }
        let event = DomainEvent(
            id: effects.id(),
            kind: isTransfer ? "stack.transferred" : "stack.renamed",
            organization: organization,
            payload: stack.id.description,
            at: now
        )
        try outbox.publish(event, in: tx)
        // Both organizations of a transfer find it in their log.
        for place in Set([stack.organization, organization]) {
            try audit.append(
                isTransfer ? .stackTransferred : .stackRenamed,
                on: move.to.description,
                in: .organization(place),
                by: move.actor,
                at: now,
                details: [AuditEvent.Detail("from", stack.ref.description)],
                tx: tx
            )
        }
    }
}
