import Events
package import Kernel
package import Persistence

/// The caller's own account and what follows from it: memberships, the default organization.
package struct CurrentUserService: Sendable {
    private let database: Database
    private let effects: Effects
    private let audit: AuditLog
    private let accounts = AccountStore()

    package init(database: Database, effects: Effects) {
        self.database = database
        self.effects = effects
        audit = AuditLog(effects: effects)
    }

    /// The caller's account with every organization it belongs to.
    package func profile(of actor: Actor) async throws -> (user: User, memberships: [Membership]) {
        let id = try actor.requireUser()
        return try await database.read { [accounts] tx in
            guard let user = try accounts.find(id, in: tx) else { throw ServiceError.badCredentials }
            return (user, try accounts.memberships(of: id, in: tx))
        }
    }

    /// The organization that commands use when none is named: the chosen one while the user belongs to it, else the first
    /// shared one, else the personal one.
    package func defaultOrganization(of actor: Actor) async throws -> OrganizationName? {
        let (user, memberships) = try await profile(of: actor)
        if let chosen = memberships.first(where: { $0.organization == user.defaultOrganization }) { return chosen.name }
        return memberships.first { $0.name != user.login }?.name ?? memberships.first?.name
    }

    /// Chooses the organization that commands use when none is named.
    ///
    /// - Throws: `.notFound` when the caller does not belong to it.
    package func setDefaultOrganization(_ name: OrganizationName, by actor: Actor) async throws {
        let id = try actor.requireUser()
        let now = effects.now()
        try await database.write { [accounts, audit] tx in
            let memberships = try accounts.memberships(of: id, in: tx)
            guard let membership = memberships.first(where: { $0.name == name }) else {
                throw ServiceError.organizationNotFound(name.rawValue)
            }
            try accounts.setDefaultOrganization(membership.organization, of: id, in: tx)
            try audit.append(
                .defaultOrganizationChanged,
                on: name.rawValue,
                in: .organization(membership.organization),
                by: actor,
                at: now,
                tx: tx
            )
        }
    }
}
