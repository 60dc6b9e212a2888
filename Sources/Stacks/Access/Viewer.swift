package import Kernel
import Persistence

/// Whose eyes a list of stacks is made for.
package enum Viewer: Sendable, Equatable {
    /// A person; in one organization only where one is named.
    case user(UserID, confinedTo: OrganizationID? = nil)
    /// An organization's token, which sees what an administrator or what every member sees.
    case organization(OrganizationID, isAdmin: Bool)

    /// Nil for who sees nothing: nobody in particular.
    package init?(_ actor: Actor) {
        if let user = actor.userID {
            self = .user(user, confinedTo: actor.confinement)
        } else if actor.kind == .organizationToken, let organization = actor.confinement {
            self = .organization(organization, isAdmin: actor.isOrganizationAdmin)
        } else {
            return nil
        }
    }
}

extension Viewer {
    /// The joins that `canRead` and `canWrite` need behind stacks `s` and their organizations `o`.
    var joins: SQL {
        switch self {
        case .user(let user, _):
            """
            JOIN memberships m ON m.organization_id = o.id AND m.user_id = \(user)
            LEFT JOIN stack_grants g ON g.stack_id = s.id AND g.user_id = m.user_id
            """
        case .organization:
            ""
        }
    }

    /// Whether the viewer is at home in an organization `o`: all of its stacks that it can read are there.
    var belongs: SQL {
        switch self {
        case .user(let user, let organization):
            let place = Self.confinement(organization)
            return """
                \(place)EXISTS (SELECT 1 FROM memberships m WHERE m.organization_id = o.id AND m.user_id = \(user))
                """
        case .organization(let organization, _):
            return "o.id = \(organization)"
        }
    }

    var canRead: SQL { may("101") }
    var canWrite: SQL { may("102") }

    /// Whether the viewer has a level on a stack `s` of an organization `o`: by role, by what every member has, or by a
    /// direct grant.
    private func may(_ level: SQL) -> SQL {
        switch self {
        case .user(_, let organization):
            let place = Self.confinement(organization)
            return """
                \(place)(m.role = 'admin' OR (m.role = 'member' AND o.default_stack_permission >= \(level))
                OR g.permission >= \(level))
                """
        case .organization(let organization, let isAdmin):
            let right: SQL = isAdmin ? "" : " AND o.default_stack_permission >= \(level)"
            return "o.id = \(organization)\(right)"
        }
    }

    /// What comes before another condition on an organization `o` for who is confined to one.
    private static func confinement(_ organization: OrganizationID?) -> SQL {
        organization.map { "o.id = \($0) AND " } ?? ""
    }
}
