import Contract
import Crypto
import Events
package import Kernel
package import Persistence

/// What a program is given in exchange for its identity.
struct ExchangedToken: Sendable {
    let secret: TokenSecret
    /// Seconds.
    let life: Int
}

/// Exchanges identity tokens of issuers that an organization trusts for access tokens (RFC 8693).
///
/// What is given is good in that organization only, expires, and ends with the issuer.
package struct TokenExchangeService: Sendable {
    private static let longestSubject = 200

    private let database: Database
    private let effects: Effects
    private let keys: IssuerKeys
    private let audit: AuditLog
    private let issuers = OIDCIssuerStore()
    private let tokens = ExchangedTokenStore()

    package init(database: Database, effects: Effects, keys: IssuerKeys) {
        self.database = database
        self.effects = effects
        self.keys = keys
        audit = AuditLog(effects: effects)
    }

    func exchange(_ request: TokenExchangeRequest, from address: String?) async throws -> ExchangedToken {
        let found = try await database.read { [issuers] tx in
            try issuers.find(issuer: request.token.issuer, of: request.organization, in: tx)
        }
        guard let issuer = found else { throw ServiceError.noIssuer(request.organization) }
        try await verify(request, issuer)
        let actor = Actor(
            kind: .anonymous,
            userID: nil,
            login: issuer.name,
            confinement: issuer.organization,
            sourceAddress: address
        )
        do {
            return try await give(request, issuer, by: actor)
        } catch let refusal as NotAllowed {
            try await record(refusal, of: request, issuer, by: actor)
            throw ServiceError.exchange(.accessDenied, refusal.text)
        }
    }

    // MARK: - Steps

    /// Checks signature, times and audience.
    private func verify(_ request: TokenExchangeRequest, _ issuer: OIDCIssuer) async throws {
        let token = request.token
        let candidates: [PublicKey]
        do throws(IssuerUnreachable) {
            candidates = try await keys.candidates(for: token, of: issuer)
        } catch {
            throw ServiceError.exchange(
                .temporarilyUnavailable,
                "the keys of the subject_token's issuer cannot be fetched at the moment",
                cause: error
            )
        }
        guard !candidates.isEmpty else { throw Self.refusal("its issuer has no key of its 'kid' and 'alg'") }
        guard candidates.contains(where: token.isSigned) else { throw Self.refusal("its signature is not good") }
        do {
            try token.check(audience: request.audience, now: effects.now())
        } catch {
            throw Self.refusal(error.text)
        }
    }

    /// Makes the token, by the policy as it is at this moment.
    private func give(
        _ request: TokenExchangeRequest,
        _ known: OIDCIssuer,
        by actor: Actor
    ) async throws -> ExchangedToken {
        let now = effects.now()
        let secret = TokenSecret(effects: effects)
        let id: AccessTokenID = effects.id()
        return try await database.write { [self] tx in
            try issuers.lock(known.id, in: tx)
            guard let issuer = try issuers.find(known.id, in: known.organization, tx: tx),
                let policy = try issuers.policy(of: issuer.id, in: tx)
            else { throw ServiceError.noIssuer(request.organization) }
            // Its keys may have changed meanwhile, because somebody has lost one.
            guard issuer.modifiedAt == known.modifiedAt else {
                throw ServiceError.exchange(.temporarilyUnavailable, "the issuer was changed just now; try again")
            }
            let holder = try holder(of: request, issuer, policy, in: tx)
            let life = min(request.life, issuer.maxExpiration)
            let token = AccessToken(
                id: id,
                kind: request.kind == .organization ? .organization : .personal,
                user: holder,
                name: issuer.name,
                description: "given in exchange to \(Self.subject(of: request.token))",
                isAdmin: request.isAdmin,
                createdAt: now,
                expiresAt: now.advanced(by: .seconds(life))
            )
            try tokens.insert(token, hash: secret.hash, for: issuer, in: tx)
            try tokens.clear(of: issuer.id, expiredBefore: now.advanced(by: .seconds(-86_400)), in: tx)
            try issuers.touch(issuer.id, at: now, in: tx)
            try audit.append(
                request.kind == .organization ? .organizationTokenExchanged : .personalTokenExchanged,
                on: id.description,
                in: .organization(issuer.organization),
                by: actor,
                at: now,
                details: Self.details(of: request, issuer),
                tx: tx
            )
            return ExchangedToken(secret: secret, life: life)
        }
    }

    /// Whose token it will be: the person asked for, or who registered the issuer for the organization.
    private func holder(
        of request: TokenExchangeRequest,
        _ issuer: OIDCIssuer,
        _ policy: AuthorizationPolicy,
        in tx: Transaction
    ) throws -> UserID {
        let question = AuthorizationPolicy.Request(
            kind: request.kind,
            isAdmin: request.isAdmin,
            claims: request.token.claims
        )
        guard policy.allows(question) else {
            throw NotAllowed(text: "no policy of '\(request.organization)' gives this token to who presents it")
        }
        guard case .personal(let login) = request.kind else { return issuer.createdBy }
        guard let member = try tokens.member(login, of: issuer.organization, in: tx) else {
            throw NotAllowed(text: "'\(login)' is no member of '\(request.organization)'")
        }
        return member
    }

    /// Only what is genuine and goes too far is recorded: nobody else can fill the log.
    private func record(
        _ refusal: NotAllowed,
        of request: TokenExchangeRequest,
        _ issuer: OIDCIssuer,
        by actor: Actor
    ) async throws {
        let now = effects.now()
        try await database.write { [audit] tx in
            try audit.append(
                .issuerValidationFailed,
                on: issuer.id.description,
                in: .organization(issuer.organization),
                by: actor,
                at: now,
                details: Self.details(of: request, issuer) + [AuditEvent.Detail("reason", refusal.text)],
                tx: tx
            )
        }
    }

    private struct NotAllowed: Error {
        let text: String
    }

    private static func refusal(_ problem: String) -> ServiceError {
        .exchange(.invalidGrant, "the subject_token is not taken: \(problem)")
    }

    private static func details(of request: TokenExchangeRequest, _ issuer: OIDCIssuer) -> [AuditEvent.Detail] {
        [
            AuditEvent.Detail("issuer", issuer.id.description),
            AuditEvent.Detail("subject", subject(of: request.token)),
            AuditEvent.Detail("scope", request.scope),
        ]
    }

    private static func subject(of token: IdentityToken) -> String {
        guard case .string(let subject) = token.claims["sub"] else { return "" }
        return String(subject.prefix(longestSubject))
    }
}
