import Events
package import Kernel
package import Persistence

/// Who may do what with a stack.
package struct StackAccessService: Sendable {
    private let database: Database
    private let effects: Effects
    private let audit: AuditLog
    private let stacks = StackStore()
    private let grants = StackGrantStore()

    package init(database: Database, effects: Effects) {
        self.database = database
        self.effects = effects
        audit = AuditLog(effects: effects)
    }

    /// Everybody with a direct grant, and who made the stack.
    package func list(
        _ ref: StackRef
    ) async throws -> (grants: [(person: Person, permission: Int)], creator: Person?) {
        try await database.read { [self] tx in
            let stack = try require(ref, in: tx)
            return (try grants.grants(on: stack.id, in: tx), try grants.creator(of: stack.id, in: tx))
        }
    }

    /// What a member of the organization may do with the stack.
    ///
    /// - Throws: `.notFound` for somebody who does not belong to the organization.
    package func access(of login: String, to ref: StackRef) async throws -> MemberAccess {
        try await database.read { [self] tx in
            let stack = try require(ref, in: tx)
            guard let access = try grants.access(of: login, to: stack, in: tx) else {
                throw ServiceError.memberNotFound(login)
            }
            return access
        }
    }

    /// Takes somebody's direct grant away.
    ///
    /// What their role in the organization gives them stays.
    ///
    /// - Throws: `.notFound` for somebody without one.
    package func remove(_ login: String, from ref: StackRef, by actor: Actor) async throws {
        let now = effects.now()
        try await database.write { [self] tx in
            guard let stack = try stacks.lock(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
            guard try grants.delete(login: login, on: stack.id, in: tx) else {
                throw ServiceError.collaboratorNotFound(login)
            }
            try audit.append(
                .stackCollaboratorRemoved,
                on: ref.description,
                in: .organization(stack.organization),
                by: actor,
                at: now,
                details: [AuditEvent.Detail("user", login)],
                tx: tx
            )
        }
    }

    private func require(_ ref: StackRef, in tx: Transaction) throws -> Stack {
        guard let stack = try stacks.find(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
        return stack
    }
}
