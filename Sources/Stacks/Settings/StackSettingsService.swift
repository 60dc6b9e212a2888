import Events
package import Kernel
package import Persistence

/// Changes who owns a stack and which outcomes of updates its people hear of.
package struct StackSettingsService: Sendable {
    private let database: Database
    private let effects: Effects
    private let audit: AuditLog
    private let stacks = StackStore()
    private let people = PersonStore()

    package init(database: Database, effects: Effects) {
        self.database = database
        self.effects = effects
        audit = AuditLog(effects: effects)
    }

    /// The stack and its owner.
    package func get(_ ref: StackRef) async throws -> (stack: Stack, owner: Person) {
        try await database.read { [self] tx in
            guard let stack = try stacks.find(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
            return (stack, try owner(of: stack, in: tx))
        }
    }

    /// Sets what is not nil and leaves the rest.
    package func setNotifications(
        onSuccess: Bool?,
        onFailure: Bool?,
        of ref: StackRef,
        by actor: Actor
    ) async throws -> (stack: Stack, owner: Person) {
        let now = effects.now()
        return try await database.write { [self] tx in
            guard var stack = try stacks.lock(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
            stack.notifications.onSuccess = onSuccess ?? stack.notifications.onSuccess
            stack.notifications.onFailure = onFailure ?? stack.notifications.onFailure
            try stacks.setNotifications(stack.notifications, of: stack.id, in: tx)
            let details = [
                AuditEvent.Detail("success", stack.notifications.onSuccess ? "true" : "false"),
                AuditEvent.Detail("failure", stack.notifications.onFailure ? "true" : "false"),
            ]
            try record(.stackNotificationsUpdated, stack, details, by: actor, at: now, in: tx)
            return (stack, try owner(of: stack, in: tx))
        }
    }

    /// Makes a member of the organization the stack's owner.
    ///
    /// The new owner gets the grant that a creator has; the one before keeps that of an administrator.
    ///
    /// - Returns: the owner before.
    /// - Throws: `.invalidArgument` for a login that no member of the organization has.
    package func setOwner(_ login: String, of ref: StackRef, by actor: Actor) async throws -> Person {
        let now = effects.now()
        return try await database.write { [self] tx in
            guard let stack = try stacks.lock(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
            guard let new = try people.findMember(login, of: stack.organization, in: tx), let user = new.id else {
                throw ServiceError.ownerUnknown(login)
            }
            let old = try owner(of: stack, in: tx)
            if let owner = stack.owner, owner != user {
                try stacks.lowerGrant(StackGrant.administrator, on: stack.id, of: owner, in: tx)
            }
            try stacks.setOwner(user, of: stack.id, in: tx)
            try stacks.grant(StackGrant.creator, on: stack.id, to: user, at: now, in: tx)
            let details = [AuditEvent.Detail("from", old.login), AuditEvent.Detail("to", new.login)]
            try record(.stackOwnerChanged, stack, details, by: actor, at: now, in: tx)
            return old
        }
    }

    private func owner(of stack: Stack, in tx: Transaction) throws -> Person {
        try stack.owner.flatMap { try people.find($0, in: tx) } ?? .nobody
    }

    private func record(
        _ action: AuditAction,
        _ stack: Stack,
        _ details: [AuditEvent.Detail],
        by actor: Actor,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        try audit.append(
            action,
            on: stack.ref.description,
            in: .organization(stack.organization),
            by: actor,
            at: now,
            details: details,
            tx: tx
        )
    }
}
