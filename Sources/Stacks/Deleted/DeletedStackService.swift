import Events
package import Kernel
package import Persistence

/// Lists deleted stacks and brings them back.
package struct DeletedStackService: Sendable {
    /// How many a list shows (`spec/rest-wider.md` §3).
    private static let shown = 25

    private let database: Database
    private let effects: Effects
    private let reader: StateReader
    private let states: MovedStates
    private let audit: AuditLog
    private let outbox = Outbox()
    private let stacks = StackStore()
    private let updates = UpdateStore()

    package init(database: Database, effects: Effects, reader: StateReader, states: MovedStates) {
        self.database = database
        self.effects = effects
        self.reader = reader
        self.states = states
        audit = AuditLog(effects: effects)
    }

    /// The stacks of an organization that were deleted last, newest first.
    package func list(in organization: OrganizationID) async throws -> [DeletedStackEntry] {
        try await database.read { [stacks, updates] tx in
            try stacks.deleted(in: organization, limit: Self.shown, tx: tx).map { stack, deletedAt in
                let last = try updates.history(of: stack.id, skip: 0, limit: 1, in: tx).first
                return DeletedStackEntry(stack: stack, deletedAt: deletedAt, lastUpdate: last)
            }
        }
    }

    /// Brings a stack back with everything it had.
    ///
    /// Under another name its state is written anew with that name, as its next version, like that of a renamed stack.
    ///
    /// - Parameter name: nil for the name it had.
    /// - Throws: `.notFound` for no deleted stack of the organization, `.conflict` when the name is taken.
    package func restore(
        _ id: StackID,
        as name: StackName?,
        in organization: OrganizationID,
        by actor: Actor
    ) async throws {
        let update: UpdateID = effects.id()
        // A deleted stack does not change, so its state may be read before the transaction that brings it back.
        let (stack, source) = try await database.write { [self] tx in
            let stack = try requireDeleted(id, in: organization, tx: tx)
            try requireFree(Self.ref(of: stack, name), in: tx)
            return (stack, try reader.source(of: stack, in: tx))
        }
        let ref = Self.ref(of: stack, name)
        let state = ref == stack.ref ? nil : try await states.moved(source, of: stack, to: ref)
        try await database.write { [self] tx in
            let stack = try requireDeleted(id, in: organization, tx: tx)
            try requireFree(ref, in: tx)
            try commit(stack, as: ref, state, update, by: actor, in: tx)
        }
    }

    private func commit(
        _ stack: Stack,
        as ref: StackRef,
        _ state: MovedState?,
        _ update: UpdateID,
        by actor: Actor,
        in tx: Transaction
    ) throws {
        let now = effects.now()
        do {
            try stacks.markLive(stack.id, as: ref, in: tx)
        } catch DatabaseError.duplicate {
            throw ServiceError.stackExists(ref)
        }
        try stacks.forgetFormerName(ref, in: stack.organization, tx: tx)
        if let state { try states.record(state, update, of: stack, by: actor, at: now, in: tx) }
        let event = DomainEvent(
            id: effects.id(),
            kind: "stack.restored",
            organization: stack.organization,
            payload: stack.id.description,
            at: now
        )
        try outbox.publish(event, in: tx)
        try audit.append(
            .stackRestored,
            on: ref.description,
            in: .organization(stack.organization),
            by: actor,
            at: now,
            details: [AuditEvent.Detail("was", stack.ref.description)],
            tx: tx
        )
    }

    private func requireDeleted(_ id: StackID, in organization: OrganizationID, tx: Transaction) throws -> Stack {
        guard let stack = try stacks.lockDeleted(id, in: organization, tx: tx) else {
            throw ServiceError.deletedStackNotFound(id.description)
        }
        return stack
    }

    private func requireFree(_ ref: StackRef, in tx: Transaction) throws {
        guard try stacks.find(ref, in: tx) == nil else { throw ServiceError.stackExists(ref) }
    }

    private static func ref(of stack: Stack, _ name: StackName?) -> StackRef {
        var ref = stack.ref
        ref.name = name ?? ref.name
        return ref
    }
}
