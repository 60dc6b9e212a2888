import Events
package import Kernel
package import Persistence

/// What somebody asks for who makes a token of an organization.
package struct NewOrganizationToken: Sendable {
    package var name: OrganizationTokenName
    package var description: String
    /// Whether it has an administrator's rights rather than a member's.
    package var isAdmin: Bool
    /// Unix seconds; nil or 0 is never.
    package var expires: Int?
    /// Free text for the audit log.
    package var reason: String?

    package init(
        name: OrganizationTokenName,
        description: String,
        isAdmin: Bool,
        expires: Int? = nil,
        reason: String? = nil
    ) {
        self.name = name
        self.description = description
        self.isAdmin = isAdmin
        self.expires = expires
        self.reason = reason
    }
}

/// Access tokens of organizations: made, listed and deleted by their administrators.
///
/// Such a token goes on when the administrator who made it leaves. None of them makes or deletes another one: who stole
/// one could not be got rid of otherwise.
package struct OrganizationTokenService: Sendable {
    private let database: Database
    private let effects: Effects
    private let audit: AuditLog
    private let tokens = OrganizationTokenStore()

    package init(database: Database, effects: Effects) {
        self.database = database
        self.effects = effects
        audit = AuditLog(effects: effects)
    }

    /// Makes a token.
    ///
    /// - Returns: the token and its text, which is shown this once.
    /// - Throws: `.conflict` when the name was used before.
    package func create(
        _ new: NewOrganizationToken,
        in organization: OrganizationID,
        by actor: Actor
    ) async throws -> (token: AccessToken, secret: TokenSecret) {
        let user = try actor.requireAccountHolder()
        let now = effects.now()
        try TokenRules.check(description: new.description)
        let secret = TokenSecret(effects: effects)
        let token = AccessToken(
            id: effects.id(),
            kind: .organization,
            user: user,
            name: new.name.rawValue,
            description: new.description,
            isAdmin: new.isAdmin,
            createdAt: now,
            expiresAt: try TokenRules.expiry(new.expires, now: now)
        )
        try await database.write { [tokens, audit] tx in
            do {
                try tokens.insertName(new.name, of: token, in: organization, tx: tx)
            } catch DatabaseError.duplicate {
                throw ServiceError.tokenNameIsTaken(new.name.rawValue)
            }
            try tokens.insert(token, hash: secret.hash, in: organization, tx: tx)
            try audit.append(
                .organizationTokenCreated,
                on: token.id.description,
                in: .organization(organization),
                by: actor,
                at: now,
                details: Self.details(of: token) + (new.reason.map { [AuditEvent.Detail("reason", $0)] } ?? []),
                tx: tx
            )
        }
        return (token, secret)
    }

    /// The tokens of an organization, those given in exchange too, never their texts.
    package func list(
        filter: TokenFilter,
        search: String?,
        order: OrganizationTokenOrder,
        page: PageRequest<OrganizationTokenOrder.Position>,
        in organization: OrganizationID
    ) async throws -> Page<OrganizationToken> {
        let now = effects.now()
        return try await database.read { [tokens] tx in
            let fetched = try tokens.page(
                of: organization,
                filter: filter,
                search: search,
                now: now,
                order: order,
                page: page,
                in: tx
            )
            return Page(fetched: fetched, limit: page.limit)
        }
    }

    /// Deletes a token; it is refused from then on, and its name is not used again.
    package func delete(_ id: AccessTokenID, in organization: OrganizationID, by actor: Actor) async throws {
        _ = try actor.requireAccountHolder()
        let now = effects.now()
        try await database.write { [tokens, audit] tx in
            guard let found = try tokens.find(id, in: organization, tx: tx) else { throw ServiceError.tokenNotFound() }
            try tokens.delete(id, in: tx)
            try audit.append(
                .organizationTokenDeleted,
                on: id.description,
                in: .organization(organization),
                by: actor,
                at: now,
                details: Self.details(of: found.token),
                tx: tx
            )
        }
    }

    private static func details(of token: AccessToken) -> [AuditEvent.Detail] {
        [AuditEvent.Detail("name", token.name), AuditEvent.Detail("admin", token.isAdmin ? "true" : "false")]
    }
}
