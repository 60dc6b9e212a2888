import Events
package import Kernel
package import Persistence

/// What somebody says of an issuer: when registering it, or what shall change.
package struct IssuerFields: Sendable {
    package var name: String?
    package var thumbprints: [String]?
    package var maxExpiration: Int?
    /// A JWK set as text.
    package var keys: String?
}

/// Issuers that an organization trusts, and what it trusts them with.
///
/// People alone manage them: a token of a machine, or one that was itself given in exchange, could otherwise open a door
/// for itself that stays open when it is gone.
package struct OIDCIssuerService: Sendable {
    private let database: Database
    private let effects: Effects
    private let audit: AuditLog
    private let documents: any IssuerDocuments
    private let issuers = OIDCIssuerStore()

    package init(database: Database, effects: Effects, documents: any IssuerDocuments) {
        self.database = database
        self.effects = effects
        self.documents = documents
        audit = AuditLog(effects: effects)
    }

    // MARK: - Issuers

    package func list(in organization: OrganizationID) async throws -> [OIDCIssuer] {
        try await database.read { [issuers] tx in try issuers.all(in: organization, tx: tx) }
    }

    package func get(_ id: OIDCIssuerID, in organization: OrganizationID) async throws -> OIDCIssuer {
        try await database.read { [issuers] tx in
            guard let issuer = try issuers.find(id, in: organization, tx: tx) else { throw ServiceError.issuerNotFound }
            return issuer
        }
    }

    /// Registers an issuer with a policy that denies everything.
    ///
    /// Its documents are fetched unless its keys are given, to learn what it calls itself and which certificate it has.
    ///
    /// - Throws: `.conflict` when the organization has it already.
    package func register(
        _ fields: IssuerFields,
        at url: String,
        in organization: OrganizationID,
        by actor: Actor
    ) async throws -> OIDCIssuer {
        let user = try actor.requireAccountHolder()
        guard OIDCIssuer.isURL(url) else {
            throw ServiceError.invalid("url", "is an https URL without query and fragment, of at most 500 characters")
        }
        guard let name = fields.name else { throw ServiceError.missing("name") }
        let now = effects.now()
        var issuer = OIDCIssuer(
            id: effects.id(),
            organization: organization,
            name: try OIDCIssuer.check(name: name),
            url: url,
            issuer: url,
            thumbprints: try OIDCIssuer.check(thumbprints: fields.thumbprints ?? []),
            keys: try Self.check(keys: fields.keys),
            maxExpiration: try OIDCIssuer.check(maxExpiration: fields.maxExpiration),
            createdBy: user,
            createdAt: now,
            modifiedAt: now,
            lastUsedAt: nil
        )
        if issuer.keys == nil {
            let (name, thumbprint) = try await describe(issuer)
            issuer.issuer = name
            if issuer.thumbprints.isEmpty { issuer.thumbprints = thumbprint.map { [$0] } ?? [] }
        }
        try await insert(issuer, by: actor, at: now)
        return issuer
    }

    /// Changes an issuer; where it is cannot change.
    package func update(
        _ id: OIDCIssuerID,
        to fields: IssuerFields,
        in organization: OrganizationID,
        by actor: Actor
    ) async throws -> OIDCIssuer {
        let name = try fields.name.map { name throws(ServiceError) in try OIDCIssuer.check(name: name) }
        let thumbprints = try fields.thumbprints.map { list throws(ServiceError) in
            try OIDCIssuer.check(thumbprints: list)
        }
        let expiration = try fields.maxExpiration.map { seconds throws(ServiceError) in
            try OIDCIssuer.check(maxExpiration: seconds)
        }
        let keys = try Self.check(keys: fields.keys)
        return try await change(id, in: organization, by: actor) { issuer in
            issuer.name = name ?? issuer.name
            issuer.thumbprints = thumbprints ?? issuer.thumbprints
            issuer.maxExpiration = expiration ?? issuer.maxExpiration
            issuer.keys = keys ?? issuer.keys
        }
    }

    /// Takes the certificate that the issuer has now for the one to be trusted; a known authority must have signed it.
    package func regenerateThumbprints(
        _ id: OIDCIssuerID,
        in organization: OrganizationID,
        by actor: Actor
    ) async throws -> OIDCIssuer {
        _ = try actor.requireAccountHolder()
        var issuer = try await get(id, in: organization)
        guard issuer.keys == nil else { throw ServiceError.keysAreGiven }
        issuer.thumbprints = []
        let thumbprint = try await describe(issuer).thumbprint
        return try await change(id, in: organization, by: actor) { issuer in
            issuer.thumbprints = thumbprint.map { [$0] } ?? []
        }
    }

    /// Deletes an issuer; every token that was given in exchange for one of its own is refused from then on.
    package func delete(_ id: OIDCIssuerID, in organization: OrganizationID, by actor: Actor) async throws {
        _ = try actor.requireAccountHolder()
        let now = effects.now()
        try await database.write { [issuers, audit] tx in
            try issuers.lock(id, in: tx)
            guard let issuer = try issuers.find(id, in: organization, tx: tx) else { throw ServiceError.issuerNotFound }
            try issuers.delete(id, in: tx)
            try audit.append(
                .issuerDeleted,
                on: id.description,
                in: .organization(organization),
                by: actor,
                at: now,
                details: Self.details(of: issuer),
                tx: tx
            )
        }
    }

    // MARK: - Policies

    package func policy(of id: OIDCIssuerID, in organization: OrganizationID) async throws -> AuthorizationPolicy {
        try await database.read { [issuers] tx in
            guard try issuers.find(id, in: organization, tx: tx) != nil,
                let policy = try issuers.policy(of: id, in: tx)
            else { throw ServiceError.issuerNotFound }
            return policy
        }
    }

    /// Makes these the entries of a policy.
    package func setPolicy(
        _ id: AuthorizationPolicyID,
        to entries: [PolicyEntry],
        in organization: OrganizationID,
        by actor: Actor
    ) async throws -> AuthorizationPolicy {
        _ = try actor.requireAccountHolder()
        let now = effects.now()
        return try await database.write { [issuers, audit] tx in
            guard var policy = try issuers.policy(id, in: organization, tx: tx) else {
                throw ServiceError.policyNotFound
            }
            policy.entries = entries
            policy.version += 1
            policy.modifiedAt = now
            try issuers.set(policy, in: tx)
            try audit.append(
                .authorizationPolicyUpdated,
                on: id.description,
                in: .organization(organization),
                by: actor,
                at: now,
                details: [
                    AuditEvent.Detail("issuer", policy.issuer.description),
                    AuditEvent.Detail("version", String(policy.version)),
                    AuditEvent.Detail("entries", String(entries.count)),
                ],
                tx: tx
            )
            return policy
        }
    }

    // MARK: - Steps

    private func describe(_ issuer: OIDCIssuer) async throws -> (name: String, thumbprint: String?) {
        do throws(IssuerUnreachable) {
            let (metadata, keys) = try await IssuerKeys.fetch(
                issuer.url,
                trusting: issuer.thumbprints,
                from: documents
            )
            return (metadata.issuer, keys.thumbprint)
        } catch {
            throw ServiceError.unreachable(error)
        }
    }

    private func insert(_ issuer: OIDCIssuer, by actor: Actor, at now: Timestamp) async throws {
        let policy = AuthorizationPolicy(
            id: effects.id(),
            issuer: issuer.id,
            version: 1,
            entries: [],
            createdAt: now,
            modifiedAt: now
        )
        try await database.write { [issuers, audit] tx in
            guard try issuers.count(in: issuer.organization, tx: tx) < OIDCIssuerStore.most else {
                throw ServiceError.invalid("url", "the organization has \(OIDCIssuerStore.most) issuers; no more fit")
            }
            do {
                try issuers.insert(issuer, in: tx)
            } catch DatabaseError.duplicate {
                throw ServiceError.issuerIsRegistered
            }
            try issuers.insert(policy, in: issuer.organization, tx: tx)
            try audit.append(
                .issuerRegistered,
                on: issuer.id.description,
                in: .organization(issuer.organization),
                by: actor,
                at: now,
                details: Self.details(of: issuer),
                tx: tx
            )
        }
    }

    private func change(
        _ id: OIDCIssuerID,
        in organization: OrganizationID,
        by actor: Actor,
        _ apply: @escaping @Sendable (inout OIDCIssuer) -> Void
    ) async throws -> OIDCIssuer {
        _ = try actor.requireAccountHolder()
        let now = effects.now()
        return try await database.write { [issuers, audit] tx in
            try issuers.lock(id, in: tx)
            guard var issuer = try issuers.find(id, in: organization, tx: tx) else {
                throw ServiceError.issuerNotFound
            }
            apply(&issuer)
            // Keys that are kept are those of an issuer as it was at one time, so no two changes have the same.
            issuer.modifiedAt = max(now, issuer.modifiedAt.advanced(by: .microseconds(1)))
            try issuers.set(issuer, in: tx)
            try audit.append(
                .issuerUpdated,
                on: id.description,
                in: .organization(organization),
                by: actor,
                at: now,
                details: Self.details(of: issuer),
                tx: tx
            )
            return issuer
        }
    }

    private static func check(keys text: String?) throws(ServiceError) -> String? {
        guard let text else { return nil }
        guard text.utf8.count <= 65_535, let set = WebKeySet(Array(text.utf8)) else {
            throw .invalid("jwks", "is a JWK set of at most 65535 bytes: {\"keys\":[…]}")
        }
        guard !set.holdsSecrets else { throw .invalid("jwks", "holds a private or shared key; give public keys only") }
        guard !set.keys.isEmpty else {
            throw .invalid("jwks", "has no key that can be used: RSA from 2048 bits, P-256, P-384 or Ed25519")
        }
        return text
    }

    private static func details(of issuer: OIDCIssuer) -> [AuditEvent.Detail] {
        [AuditEvent.Detail("name", issuer.name), AuditEvent.Detail("issuer", issuer.issuer)]
    }
}
