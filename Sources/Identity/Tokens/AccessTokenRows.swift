import Kernel
import Persistence

/// Rows of `access_tokens`, which tokens of every kind share.
enum AccessTokenRows {
    /// - Parameters:
    ///   - hash: SHA-256 of the token's text, which is kept nowhere.
    ///   - organization: the only one that the token is good in; nil for a person's own.
    ///   - issuer: whose identity token it was given for; nil where somebody made it.
    static func insert(
        _ token: AccessToken,
        hash: [UInt8],
        in organization: OrganizationID? = nil,
        givenFor issuer: OIDCIssuerID? = nil,
        tx: Transaction
    ) throws {
        try tx.insert(
            into: "access_tokens",
            [
                "id": token.id, "kind": token.kind.rawValue, "hash": hash, "user_id": token.user,
                "organization_id": organization, "issuer_id": issuer, "name": token.name,
                "description": token.description, "is_admin": token.isAdmin, "created_at": token.createdAt,
                "last_used_at": token.lastUsedAt, "expires_at": token.expiresAt,
            ]
        )
    }

    static func delete(_ id: AccessTokenID, in tx: Transaction) throws {
        try tx.execute("DELETE FROM access_tokens WHERE id = \(id)")
    }
}
