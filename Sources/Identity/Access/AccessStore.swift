import Kernel
import Persistence

/// Who a token belongs to.
struct TokenHolder: Sendable {
    var token: AccessTokenID
    var kind: AccessToken.Kind
    var user: UserID
    var login: String
    var isSiteAdmin: Bool
    var expiresAt: Timestamp?
    var lastUsedAt: Timestamp?
}

/// What a user is in an organization, and what its members get by default.
struct OrganizationStanding: Sendable {
    var organization: OrganizationID
    /// Nil for somebody who does not belong to it.
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
    func holder(hash: [UInt8], in tx: Transaction) throws -> TokenHolder? {
        try tx.first(
            """
            SELECT t.id, t.kind, t.user_id, u.login, u.is_site_admin, t.expires_at, t.last_used_at
            FROM access_tokens t JOIN users u ON u.id = t.user_id WHERE t.hash = \(hash)
            """
        ) { row in
            TokenHolder(
                token: try row.id(0),
                kind: AccessToken.Kind(rawValue: try row.text(1)) ?? .personal,
                user: try row.id(2),
                login: try row.text(3),
                isSiteAdmin: try row.bool(4),
                expiresAt: try row.optional(5, Row.timestamp),
                lastUsedAt: try row.optional(6, Row.timestamp)
            )
        }
    }

    func standing(of user: UserID, in name: OrganizationName, tx: Transaction) throws -> OrganizationStanding? {
        try tx.first(
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
    }

    /// The live stack of this name.
    func standing(
        of user: UserID,
        on stack: StackRef,
        in organization: OrganizationID,
        tx: Transaction
    ) throws -> StackStanding? {
        try tx.first(
            """
            SELECT s.id, g.permission FROM stacks s
            LEFT JOIN stack_grants g ON g.stack_id = s.id AND g.user_id = \(user)
            WHERE s.organization_id = \(organization) AND s.project = \(stack.project.rawValue)
            AND s.name = \(stack.name.rawValue) AND s.live = 1
            """,
            StackStanding.init(row:)
        )
    }

    /// The live stack that had this name before it was renamed.
    func standing(
        of user: UserID,
        onFormerName stack: StackRef,
        in organization: OrganizationID,
        tx: Transaction
    ) throws -> StackStanding? {
        try tx.first(
            """
            SELECT s.id, g.permission FROM stack_former_names f JOIN stacks s ON s.id = f.stack_id AND s.live = 1
            LEFT JOIN stack_grants g ON g.stack_id = s.id AND g.user_id = \(user)
            WHERE f.organization_id = \(organization) AND f.project = \(stack.project.rawValue)
            AND f.name = \(stack.name.rawValue)
            """,
            StackStanding.init(row:)
        )
    }
}

extension StackStanding {
    init(row: Row) throws {
        stack = try row.id(0)
        grant = try row.optional(1, Row.int).flatMap(StackAccessLevel.init(rawValue:)) ?? .none
    }
}
