import Kernel
import Persistence

/// SQL for the tokens in `access_tokens` that are given in exchange.
struct ExchangedTokenStore: Sendable {
    /// How many old ones are cleared away with each new one.
    private static let most = 20

    func insert(
        _ token: AccessToken,
        hash: [UInt8],
        for issuer: OIDCIssuer,
        in tx: Transaction
    ) throws {
        try tx.insert(
            into: "access_tokens",
            [
                "id": token.id, "kind": token.kind.rawValue, "hash": hash, "user_id": token.user,
                "organization_id": issuer.organization, "issuer_id": issuer.id, "name": token.name,
                "description": token.description, "is_admin": token.isAdmin, "created_at": token.createdAt,
                "last_used_at": token.lastUsedAt, "expires_at": token.expiresAt,
            ]
        )
    }

    /// Deletes some of an issuer's tokens that expired a while ago: every run of a pipeline leaves one.
    func clear(of issuer: OIDCIssuerID, expiredBefore limit: Timestamp, in tx: Transaction) throws {
        let old: [AccessTokenID] = try tx.all(
            """
            SELECT id FROM access_tokens WHERE issuer_id = \(issuer) AND expires_at < \(limit)
            ORDER BY expires_at LIMIT \(Self.most)
            """
        ) { try $0.id(0) }
        for id in old { try tx.execute("DELETE FROM access_tokens WHERE id = \(id)") }
    }

    /// A member of an organization by login.
    func member(_ login: String, of organization: OrganizationID, in tx: Transaction) throws -> UserID? {
        try tx.first(
            """
            SELECT u.id FROM users u JOIN memberships m ON m.user_id = u.id
            WHERE u.login = \(login) AND m.organization_id = \(organization)
            """
        ) { try $0.id(0) }
    }
}
