package import Kernel

/// A key that a person or machine presents instead of logging in.
///
/// Only its hash is kept.
package struct AccessToken: Sendable, Equatable {
    /// The contract's `AccessTokenType`.
    package enum Kind: String, Sendable {
        case personal
        case organization
        case team
    }

    package var id: AccessTokenID
    package var kind: Kind
    /// Whose rights it carries; for machine tokens, who made it.
    package var user: UserID
    package var name: String
    package var description: String
    package var isAdmin: Bool
    package var createdAt: Timestamp
    package var lastUsedAt: Timestamp?
    package var expiresAt: Timestamp?

    package init(
        id: AccessTokenID,
        kind: Kind,
        user: UserID,
        name: String = "",
        description: String,
        isAdmin: Bool = false,
        createdAt: Timestamp,
        lastUsedAt: Timestamp? = nil,
        expiresAt: Timestamp? = nil
    ) {
        self.id = id
        self.kind = kind
        self.user = user
        self.name = name
        self.description = description
        self.isAdmin = isAdmin
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
        self.expiresAt = expiresAt
    }

    package func isExpired(at now: Timestamp) -> Bool {
        expiresAt.map { $0 <= now } ?? false
    }
}
