import HTTPServer
package import Kernel
package import Persistence

/// Logs a client in for a person who shows who they are in a browser: by an access token, as there are no passwords.
package struct BrowserLoginService: Sendable {
    private let database: Database
    private let effects: Effects
    private let tokens: PersonalTokenService
    private let access = AccessStore()

    package init(database: Database, effects: Effects, tokens: PersonalTokenService) {
        self.database = database
        self.effects = effects
        self.tokens = tokens
    }

    /// Makes a token for the client.
    ///
    /// It ends when the token ends that was shown for it.
    ///
    /// - Returns: nil for a text that is no token of a person, or one that is no longer good.
    func login(_ session: LoginSession, showing text: String, from address: String) async throws -> TokenSecret? {
        guard let secret = TokenSecret(text) else { return nil }
        let hash = secret.hash
        let now = effects.now()
        let found = try await database.read { [access] tx in try access.holder(hash: hash, in: tx) }
        guard let holder = found, holder.expiresAt.map({ $0 > now }) ?? true,
            case .user(_, confinedTo: nil) = holder.principal
        else { return nil }
        return try await tokens.create(
            description: session.description,
            expiresAt: holder.expiresAt,
            reason: "login in a browser",
            by: holder.actor(from: address)
        ).secret
    }

    func newFormCheck(_ headers: HTTPHeaders) -> FormCheck {
        FormCheck(of: headers, effects: effects)
    }
}
