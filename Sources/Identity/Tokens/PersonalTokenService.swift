import Events
package import Kernel
package import Persistence

/// Access tokens of people: made, listed and deleted by their owner.
package struct PersonalTokenService: Sendable {
    private let database: Database
    private let effects: Effects
    private let audit: AuditLog
    private let tokens = PersonalTokenStore()

    package init(database: Database, effects: Effects) {
        self.database = database
        self.effects = effects
        audit = AuditLog(effects: effects)
    }

    /// Makes a token for the caller.
    ///
    /// - Parameters:
    ///   - expires: Unix seconds; nil or 0 is never.
    ///   - reason: free text for the audit log.
    /// - Returns: the token and its text, which is shown this once.
    package func create(
        description: String,
        expires: Int?,
        reason: String?,
        by actor: Actor
    ) async throws -> (token: AccessToken, secret: TokenSecret) {
        let expiry = try TokenRules.expiry(expires, now: effects.now())
        return try await create(description: description, expiresAt: expiry, reason: reason, by: actor)
    }

    /// The same with an end that follows from another token's.
    func create(
        description: String,
        expiresAt: Timestamp?,
        reason: String?,
        by actor: Actor
    ) async throws -> (token: AccessToken, secret: TokenSecret) {
        let user = try actor.requireAccountHolder()
        let now = effects.now()
        try TokenRules.check(description: description)
        let secret = TokenSecret(effects: effects)
        let token = AccessToken(
            id: effects.id(),
            kind: .personal,
            user: user,
            description: description,
            createdAt: now,
            expiresAt: expiresAt
        )
        try await database.write { [tokens, audit] tx in
            try tokens.insert(token, hash: secret.hash, in: tx)
            try audit.append(
                .personalTokenCreated,
                on: token.id.description,
                in: .server,
                by: actor,
                at: now,
                details: reason.map { [AuditEvent.Detail("reason", $0)] } ?? [],
                tx: tx
            )
        }
        return (token, secret)
    }

    /// Makes a token for somebody who has lost theirs: for whoever may run programs where the server keeps its data.
    ///
    /// - Throws: `.notFound` when nobody has this login.
    package func recover(_ login: OrganizationName) async throws -> TokenSecret {
        let secret = TokenSecret(effects: effects)
        let (now, id) = (effects.now(), effects.id(Entity.AccessToken.self))
        try await database.write { [tokens, audit] tx in
            guard let user = try AccountStore().find(login: login, in: tx) else {
                throw ServiceError(.notFound, "nobody has the login '\(login)'")
            }
            let token = AccessToken(
                id: id,
                kind: .personal,
                user: user.id,
                description: "made by cairn token",
                createdAt: now
            )
            try tokens.insert(token, hash: secret.hash, in: tx)
            try audit.append(
                .personalTokenCreated,
                on: id.description,
                in: .server,
                by: .system("cairn token"),
                at: now,
                details: [AuditEvent.Detail("login", login.rawValue)],
                tx: tx
            )
        }
        return secret
    }

    /// The caller's own tokens, newest first.
    ///
    /// Never their texts.
    package func list(
        filter: TokenFilter,
        search: String?,
        page: PageRequest<AccessTokenID>,
        by actor: Actor
    ) async throws -> Page<AccessToken> {
        let user = try actor.requireAccountHolder()
        let now = effects.now()
        return try await database.read { [tokens] tx in
            let fetched = try tokens.page(
                of: user,
                filter: filter,
                search: search,
                now: now,
                after: page.after,
                limit: page.limit,
                in: tx
            )
            return Page(fetched: fetched, limit: page.limit)
        }
    }

    /// Deletes one of the caller's own tokens; it is refused from then on.
    package func delete(_ id: AccessTokenID, by actor: Actor) async throws {
        let user = try actor.requireAccountHolder()
        let now = effects.now()
        try await database.write { [tokens, audit] tx in
            guard try tokens.find(id, of: user, in: tx) != nil else { throw ServiceError.tokenNotFound() }
            try tokens.delete(id, in: tx)
            try audit.append(.personalTokenDeleted, on: id.description, in: .server, by: actor, at: now, tx: tx)
        }
    }
}
