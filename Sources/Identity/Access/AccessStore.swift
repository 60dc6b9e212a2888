import Kernel
import Persistence

/// Who a token belongs to.
struct TokenHolder: Sendable {
    /// Whose rights a token carries.
    enum Principal: Sendable, Equatable {
        /// A person; good in one organization only where one is named.
        case user(UserID, confinedTo: OrganizationID?)
        /// An organization, which acts as one of its members or as an administrator.
        case organization(OrganizationID, isAdmin: Bool)

        var confinement: OrganizationID? {
            switch self {
            case .user(_, let organization): organization
            case .organization(let organization, _): organization
            }
        }
    }

    var token: AccessTokenID
    var principal: Principal
    /// The person's login, or the name of the machine's token.
    var login: String
    var isSiteAdmin: Bool
    var expiresAt: Timestamp?

    func actor(from address: String) -> Actor {
        switch principal {
        case .user(let user, let confinement):
            Actor(
                kind: .user,
                userID: user,
                login: login,
                tokenID: token,
                // Who lends a person's rights to one organization lends no more of them.
                isSiteAdmin: isSiteAdmin && confinement == nil,
                confinement: confinement,
                sourceAddress: address
            )
        case .organization(let organization, let isAdmin):
            Actor(
                kind: .organizationToken,
                userID: nil,
                login: login,
                tokenID: token,
                confinement: organization,
                isOrganizationAdmin: isAdmin,
                sourceAddress: address
            )
        }
    }
}

/// What a principal is in an organization, and what its members get by default.
struct OrganizationStanding: Sendable {
    var organization: OrganizationID
    /// Nil for who does not belong to it.
    var role: OrganizationRole?
    var defaultStackLevel: StackAccessLevel
}

/// A stack and what was granted on it directly.
struct StackStanding: Sendable {
    var stack: StackID
    var grant: StackAccessLevel
}

/// SQL for decisions about access.
///
/// It reads what other capabilities write, so that one snapshot answers a request's whole question.
struct AccessStore: Sendable {
    /// Nil for a token that there is none of, and for one of a kind that this version does not know.
    func holder(hash: [UInt8], in tx: Transaction) throws -> TokenHolder? {
        try tx.first(
            """
            SELECT t.id, t.kind, t.user_id, u.login, u.is_site_admin, t.expires_at, t.organization_id, t.name, t.is_admin
            FROM access_tokens t JOIN users u ON u.id = t.user_id WHERE t.hash = \(hash)
            """,
            TokenHolder.init(row:)
        ) ?? nil
    }

    func standing(
        of principal: TokenHolder.Principal,
        in name: OrganizationName,
        tx: Transaction
    ) throws -> OrganizationStanding? {
        let standing: OrganizationStanding?
        switch principal {
        case .user(let user, _):
            standing = try tx.first(
                """
                SELECT o.id, m.role, o.default_stack_permission FROM organizations o
                LEFT JOIN memberships m ON m.organization_id = o.id AND m.user_id = \(user)
                WHERE o.name = \(name.rawValue)
                """
            ) { row in
                OrganizationStanding(
                    organization: try row.id(0),
                    role: try row.optional(1, Row.text).flatMap(OrganizationRole.init(rawValue:)),
                    defaultStackLevel: StackAccessLevel(rawValue: try row.int(2)) ?? .none
                )
            }
        case .organization(_, let isAdmin):
            standing = try tx.first(
                "SELECT o.id, o.default_stack_permission FROM organizations o WHERE o.name = \(name.rawValue)"
            ) { row in
                OrganizationStanding(
                    organization: try row.id(0),
                    role: isAdmin ? .admin : .member,
                    defaultStackLevel: StackAccessLevel(rawValue: try row.int(1)) ?? .none
                )
            }
        }
        guard let standing, principal.confinement ?? standing.organization == standing.organization else { return nil }
        return standing
    }

    /// The live stack of this name.
    func standing(
        of principal: TokenHolder.Principal,
        on stack: StackRef,
        in organization: OrganizationID,
        tx: Transaction
    ) throws -> StackStanding? {
        let (grant, join) = Self.grant(to: principal)
        return try tx.first(
            """
            SELECT s.id, \(grant) FROM stacks s \(join)
            WHERE s.organization_id = \(organization) AND s.project = \(stack.project.rawValue)
            AND s.name = \(stack.name.rawValue) AND s.live = 1
            """,
            StackStanding.init(row:)
        )
    }

    /// The live stack that had this name before it was renamed.
    func standing(
        of principal: TokenHolder.Principal,
        onFormerName stack: StackRef,
        in organization: OrganizationID,
        tx: Transaction
    ) throws -> StackStanding? {
        let (grant, join) = Self.grant(to: principal)
        return try tx.first(
            """
            SELECT s.id, \(grant) FROM stack_former_names f JOIN stacks s ON s.id = f.stack_id AND s.live = 1 \(join)
            WHERE f.organization_id = \(organization) AND f.project = \(stack.project.rawValue)
            AND f.name = \(stack.name.rawValue)
            """,
            StackStanding.init(row:)
        )
    }

    /// What a stack's direct grant to the principal is, with the join it needs: only people have such grants.
    private static func grant(to principal: TokenHolder.Principal) -> (column: SQL, join: SQL) {
        switch principal {
        case .user(let user, _):
            ("g.permission", "LEFT JOIN stack_grants g ON g.stack_id = s.id AND g.user_id = \(user)")
        case .organization:
            ("NULL", "")
        }
    }
}

extension TokenHolder {
    /// - Returns: nil for a kind of token that this version does not know.
    init?(row: Row) throws {
        let organization: OrganizationID? = try row.optional(6) { row in { try row.id($0) } }
        switch AccessToken.Kind(rawValue: try row.text(1)) {
        case .personal:
            principal = .user(try row.id(2), confinedTo: organization)
            login = try row.text(3)
            isSiteAdmin = try row.bool(4)
        case .organization:
            guard let organization else { return nil }
            principal = .organization(organization, isAdmin: try row.bool(8))
            login = try row.text(7)
            isSiteAdmin = false
        case .team, nil:
            return nil
        }
        token = try row.id(0)
        expiresAt = try row.optional(5, Row.timestamp)
    }
}

extension StackStanding {
    init(row: Row) throws {
        stack = try row.id(0)
        grant = try row.optional(1, Row.int).flatMap(StackAccessLevel.init(rawValue:)) ?? .none
    }
}
