import Contract
import Kernel
import Persistence

/// SQL for `oidc_issuers` and `authorization_policies`.
struct OIDCIssuerStore: Sendable {
    private static let columns: SQL = """
        i.id, i.organization_id, i.name, i.url, i.issuer, i.thumbprints, i.jwks, i.max_expiration, i.created_by, \
        i.created_at, i.modified_at, i.last_used_at
        """
    private static let policyColumns: SQL = "id, issuer_id, version, policies, created_at, modified_at"
    /// More than an organization has.
    static let most = 200

    func count(in organization: OrganizationID, tx: Transaction) throws -> Int {
        try tx.count("SELECT COUNT(*) FROM oidc_issuers WHERE organization_id = \(organization)")
    }

    /// Every issuer of an organization, oldest first.
    func all(in organization: OrganizationID, tx: Transaction) throws -> [OIDCIssuer] {
        try tx.all(
            """
            SELECT \(Self.columns) FROM oidc_issuers i WHERE i.organization_id = \(organization)
            ORDER BY i.id LIMIT \(Self.most)
            """,
            OIDCIssuer.init(row:)
        )
    }

    func find(_ id: OIDCIssuerID, in organization: OrganizationID, tx: Transaction) throws -> OIDCIssuer? {
        try tx.first(
            """
            SELECT \(Self.columns) FROM oidc_issuers i
            WHERE i.id = \(id) AND i.organization_id = \(organization)
            """,
            OIDCIssuer.init(row:)
        )
    }

    func find(issuer: String, of organization: OrganizationName, in tx: Transaction) throws -> OIDCIssuer? {
        try tx.first(
            """
            SELECT \(Self.columns) FROM oidc_issuers i JOIN organizations o ON o.id = i.organization_id
            WHERE o.name = \(organization.rawValue) AND i.issuer = \(issuer)
            """,
            OIDCIssuer.init(row:)
        )
    }

    /// Keeps the issuer as it is until the transaction ends: it cannot be deleted while a token is made for it.
    func lock(_ id: OIDCIssuerID, in tx: Transaction) throws {
        try tx.lock("oidc_issuers", where: "id = \(id)")
    }

    func insert(_ issuer: OIDCIssuer, in tx: Transaction) throws {
        try tx.insert(
            into: "oidc_issuers",
            [
                "id": issuer.id, "organization_id": issuer.organization, "name": issuer.name, "url": issuer.url,
                "issuer": issuer.issuer, "thumbprints": issuer.thumbprints.joined(separator: " "),
                "jwks": issuer.keys, "max_expiration": issuer.maxExpiration, "created_by": issuer.createdBy,
                "created_at": issuer.createdAt, "modified_at": issuer.modifiedAt, "last_used_at": issuer.lastUsedAt,
            ]
        )
    }

    func set(_ issuer: OIDCIssuer, in tx: Transaction) throws {
        try tx.execute(
            """
            UPDATE oidc_issuers SET name = \(issuer.name), thumbprints = \(issuer.thumbprints.joined(separator: " ")),
            jwks = \(issuer.keys), max_expiration = \(issuer.maxExpiration), modified_at = \(issuer.modifiedAt)
            WHERE id = \(issuer.id)
            """
        )
    }

    func touch(_ id: OIDCIssuerID, at now: Timestamp, in tx: Transaction) throws {
        try tx.execute("UPDATE oidc_issuers SET last_used_at = \(now) WHERE id = \(id)")
    }

    /// Deletes an issuer with its policy and with every token that was given in exchange for its own.
    func delete(_ id: OIDCIssuerID, in tx: Transaction) throws {
        try tx.execute("DELETE FROM access_tokens WHERE issuer_id = \(id)")
        try tx.execute("DELETE FROM authorization_policies WHERE issuer_id = \(id)")
        try tx.execute("DELETE FROM oidc_issuers WHERE id = \(id)")
    }

    // MARK: - Policies

    func policy(of issuer: OIDCIssuerID, in tx: Transaction) throws -> AuthorizationPolicy? {
        try tx.first(
            "SELECT \(Self.policyColumns) FROM authorization_policies WHERE issuer_id = \(issuer)",
            AuthorizationPolicy.init(row:)
        )
    }

    func policy(
        _ id: AuthorizationPolicyID,
        in organization: OrganizationID,
        tx: Transaction
    ) throws -> AuthorizationPolicy? {
        try tx.first(
            """
            SELECT \(Self.policyColumns) FROM authorization_policies
            WHERE id = \(id) AND organization_id = \(organization)
            """,
            AuthorizationPolicy.init(row:)
        )
    }

    func insert(_ policy: AuthorizationPolicy, in organization: OrganizationID, tx: Transaction) throws {
        try tx.insert(
            into: "authorization_policies",
            [
                "id": policy.id, "issuer_id": policy.issuer, "organization_id": organization,
                "version": policy.version, "policies": try policy.text, "created_at": policy.createdAt,
                "modified_at": policy.modifiedAt,
            ]
        )
    }

    func set(_ policy: AuthorizationPolicy, in tx: Transaction) throws {
        try tx.execute(
            """
            UPDATE authorization_policies SET version = \(policy.version), policies = \(try policy.text),
            modified_at = \(policy.modifiedAt) WHERE id = \(policy.id)
            """
        )
    }
}

extension OIDCIssuer {
    init(row: Row) throws {
        self.init(
            id: try row.id(0),
            organization: try row.id(1),
            name: try row.text(2),
            url: try row.text(3),
            issuer: try row.text(4),
            thumbprints: try row.text(5).split(separator: " ").map(String.init),
            keys: try row.optional(6, Row.text),
            maxExpiration: try row.int(7),
            createdBy: try row.id(8),
            createdAt: try row.timestamp(9),
            modifiedAt: try row.timestamp(10),
            lastUsedAt: try row.optional(11, Row.timestamp)
        )
    }
}

extension AuthorizationPolicy {
    init(row: Row) throws {
        let stored = try JSONValue.parse(Array(try row.text(3).utf8))
        let wire = try AuthPolicyUpdateRequest(wire: stored, at: .root).policies ?? []
        self.init(
            id: try row.id(0),
            issuer: try row.id(1),
            version: try row.int(2),
            entries: try wire.map { try PolicyEntry($0, at: "policies") },
            createdAt: try row.timestamp(4),
            modifiedAt: try row.timestamp(5)
        )
    }

    /// The entries as they are stored: as the contract writes them.
    fileprivate var text: String {
        get throws {
            try RawJSON { json in
                json.beginObject()
                json.field("policies", list: entries.map(\.wire))
                json.endObject()
            }.text
        }
    }
}
