import Contract
package import HTTPAPI
import Kernel

/// `/api/orgs/{orgName}/oidc/issuers` and `/api/orgs/{orgName}/auth/policies`.
package struct OIDCIssuerRoutes: RouteGroup {
    private static let mostEntries = 50

    private let issuers: OIDCIssuerService

    package init(issuers: OIDCIssuerService) {
        self.issuers = issuers
    }

    package func register(on routes: inout RouteTable) {
        routes.query(Operations.ListOrgsOidcIssuers.self, access: .organization(.readIssuers), handler: list)
        routes.query(Operations.GetOidcIssuer.self, access: .organization(.readIssuers), handler: get)
        routes.mutation(
            Operations.RegisterOidcIssuer.self,
            access: .organization(.createIssuer),
            audit: .issuerRegistered,
            handler: register
        )
        routes.mutation(
            Operations.UpdateOidcIssuer.self,
            access: .organization(.updateIssuer),
            audit: .issuerUpdated,
            handler: update
        )
        routes.mutation(
            Operations.DeleteOidcIssuer.self,
            access: .organization(.deleteIssuer),
            audit: .issuerDeleted,
            handler: delete
        )
        routes.mutation(
            Operations.RegenerateThumbprints.self,
            access: .organization(.regenerateThumbprints),
            audit: .issuerUpdated,
            handler: regenerateThumbprints
        )
        routes.query(
            Operations.GetAuthPolicy.self,
            access: .organization(.readAuthorizationPolicies),
            handler: getPolicy
        )
        routes.mutation(
            Operations.UpdateAuthPolicy.self,
            access: .organization(.updateAuthorizationPolicies),
            audit: .authorizationPolicyUpdated,
            handler: updatePolicy
        )
    }

    func list(_ call: Call<Operations.ListOrgsOidcIssuers>) async throws -> ListOidcIssuersResponse {
        ListOidcIssuersResponse(oidcIssuers: try await issuers.list(in: try call.organizationID()).map(\.wire))
    }

    func get(_ call: Call<Operations.GetOidcIssuer>) async throws -> OidcIssuerRegistrationResponse {
        try await issuers.get(try Self.id(call.path.issuerId), in: try call.organizationID()).wire
    }

    func register(_ call: Call<Operations.RegisterOidcIssuer>) async throws -> OidcIssuerRegistrationResponse {
        guard let url = call.body.url else { throw ServiceError.missing("url") }
        let fields = IssuerFields(
            name: call.body.name,
            thumbprints: call.body.thumbprints,
            maxExpiration: call.body.maxExpiration,
            keys: Self.keys(call.body.jwks)
        )
        return try await issuers.register(fields, at: url, in: try call.organizationID(), by: call.actor).wire
    }

    func update(_ call: Call<Operations.UpdateOidcIssuer>) async throws -> OidcIssuerRegistrationResponse {
        let fields = IssuerFields(
            name: call.body.name,
            thumbprints: call.body.thumbprints,
            maxExpiration: call.body.maxExpiration,
            keys: Self.keys(call.body.jwks)
        )
        let id = try Self.id(call.path.issuerId)
        return try await issuers.update(id, to: fields, in: try call.organizationID(), by: call.actor).wire
    }

    func delete(_ call: Call<Operations.DeleteOidcIssuer>) async throws -> NoContent {
        try await issuers.delete(try Self.id(call.path.issuerId), in: try call.organizationID(), by: call.actor)
        return NoContent()
    }

    func regenerateThumbprints(
        _ call: Call<Operations.RegenerateThumbprints>
    ) async throws -> OidcIssuerRegistrationResponse {
        let id = try Self.id(call.path.issuerId)
        return try await issuers.regenerateThumbprints(id, in: try call.organizationID(), by: call.actor).wire
    }

    func getPolicy(_ call: Call<Operations.GetAuthPolicy>) async throws -> AuthPolicy {
        try await issuers.policy(of: try Self.id(call.path.issuerId), in: try call.organizationID()).wire
    }

    func updatePolicy(_ call: Call<Operations.UpdateAuthPolicy>) async throws -> AuthPolicy {
        guard let id = AuthorizationPolicyID(call.path.policyId) else { throw ServiceError.policyNotFound }
        guard let policies = call.body.policies, (1...Self.mostEntries).contains(policies.count) else {
            throw ServiceError.invalid("policies", "has 1 to \(Self.mostEntries) entries")
        }
        let entries = try policies.enumerated().map { index, entry throws(ServiceError) in
            try PolicyEntry(entry, at: "policies[\(index)]")
        }
        return try await issuers.setPolicy(id, to: entries, in: try call.organizationID(), by: call.actor).wire
    }

    private static func id(_ text: String) throws(ServiceError) -> OIDCIssuerID {
        guard let id = OIDCIssuerID(text) else { throw .issuerNotFound }
        return id
    }

    /// Clients send null, too, for keys that shall be fetched.
    private static func keys(_ json: RawJSON?) -> String? {
        json.flatMap { $0 == .null ? nil : $0.text }
    }
}

extension OIDCIssuer {
    fileprivate var wire: OidcIssuerRegistrationResponse {
        OidcIssuerRegistrationResponse(
            id: id.description,
            name: name,
            url: url,
            issuer: issuer,
            thumbprints: thumbprints,
            jwks: keys.map { RawJSON(unchecked: Array($0.utf8)) },
            maxExpiration: maxExpiration,
            created: createdAt.rfc3339,
            modified: modifiedAt.rfc3339,
            lastUsed: lastUsedAt?.rfc3339
        )
    }
}

extension AuthorizationPolicy {
    fileprivate var wire: AuthPolicy {
        AuthPolicy(
            id: id.description,
            version: version,
            created: createdAt.rfc3339,
            modified: modifiedAt.rfc3339,
            policies: entries.map(\.wire)
        )
    }
}
