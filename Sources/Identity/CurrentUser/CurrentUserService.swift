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

    /// Whoever the caller is, with the organizations they can act in.
    package func profile(of actor: Actor) async throws -> Profile {
        try await database.read { [accounts] tx in
            if actor.kind == .organizationToken {
                guard let id = actor.confinement, let organization = try accounts.organization(id, in: tx) else {
                    throw ServiceError.badCredentials
                }
                let role = actor.isOrganizationAdmin ? OrganizationRole.admin : .member
                return .organization(Membership(organization, role: role), token: actor.login)
            }
            let id = try actor.requireUser()
            guard let user = try accounts.find(id, in: tx) else { throw ServiceError.badCredentials }
            let memberships = try accounts.memberships(of: id, in: tx)
            return .user(user, memberships.filter { actor.confinement ?? $0.organization == $0.organization })
        }
    }

    /// The organization that commands use when none is named: the chosen one while the user belongs to it, else the first
    /// shared one, else the personal one; for an organization's token that organization.
    package func defaultOrganization(of actor: Actor) async throws -> OrganizationName? {
        switch try await profile(of: actor) {
        case .organization(let membership, _):
            return membership.name
        case .user(let user, let memberships):
            if let chosen = memberships.first(where: { $0.organization == user.defaultOrganization }) {
                return chosen.name
            }
            return memberships.first { $0.name != user.login }?.name ?? memberships.first?.name
        }
    }

    /// Chooses the organization that commands use when none is named.
    ///
    /// - Throws: `.notFound` when the caller does not belong to it.
    package func setDefaultOrganization(_ name: OrganizationName, by actor: Actor) async throws {
        let id = try actor.requireAccountHolder()
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

/// Who a credential stands for.
package enum Profile: Sendable {
    case user(User, [Membership])
    /// An organization, in what its token may be in it, and the token's name.
    case organization(Membership, token: String)
}
