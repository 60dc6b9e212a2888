import Contract
import Kernel

extension AccessToken {
    /// The token as lists show it; times are 0 where there is none (`spec/rest-wider.md` §1.6).
    func wire(createdBy login: String) -> Contract.AccessToken {
        Contract.AccessToken(
            id: id.description,
            name: name,
            description: description,
            created: createdAt.rfc3339,
            lastUsed: lastUsedAt.map { Int($0.seconds) } ?? 0,
            expires: expiresAt.map { Int($0.seconds) } ?? 0,
            admin: isAdmin,
            createdBy: login,
            type: AccessTokenType(rawValue: kind.rawValue)
        )
    }
}
