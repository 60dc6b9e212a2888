import Contract
package import HTTPAPI
import Kernel

/// `/api/orgs/{orgName}/tokens`.
package struct OrganizationTokenRoutes: RouteGroup {
    private static let paging = ContinuationPaging(operation: "listOrgTokens", standard: 100, largest: 1000)

    private let tokens: OrganizationTokenService

    package init(tokens: OrganizationTokenService) {
        self.tokens = tokens
    }

    package func register(on routes: inout RouteTable) {
        routes.query(Operations.ListOrgTokens.self, access: .organization(.readTokens), handler: list)
        routes.mutation(
            Operations.CreateOrgToken.self,
            access: .organization(.createToken),
            audit: .organizationTokenCreated,
            handler: create
        )
        routes.mutation(
            Operations.DeleteOrgToken.self,
            access: .organization(.deleteToken),
            audit: .organizationTokenDeleted,
            handler: delete
        )
    }

    func create(_ call: Call<Operations.CreateOrgToken>) async throws -> CreateAccessTokenResponse {
        guard (call.body.roleID ?? "").isEmpty else { throw ServiceError.customRolesNotOffered }
        guard let name = call.body.name else { throw ServiceError.missing("name") }
        let (token, secret) = try await tokens.create(
            NewOrganizationToken(
                name: try OrganizationTokenName(name),
                description: call.body.description ?? "",
                isAdmin: call.body.admin ?? false,
                expires: call.body.expires,
                reason: call.query.reason
            ),
            in: try call.organizationID(),
            by: call.actor
        )
        return CreateAccessTokenResponse(id: token.id.description, tokenValue: secret.text.reveal())
    }

    func list(_ call: Call<Operations.ListOrgTokens>) async throws -> ListAccessTokensResponse {
        guard let filter = TokenFilter(rawValue: call.query.filter ?? TokenFilter.active.rawValue) else {
            throw ServiceError.invalid("filter", "takes active, expired or all")
        }
        let order = try Self.order(call.query)
        let conditions = [filter.rawValue, call.query.search ?? "", order.mark]
        let after = try Self.paging.after(call.query.continuationToken, filter: conditions) { values in
            OrganizationTokenOrder.Position(values, in: order)
        }
        let limit = try Self.paging.limit(call.query.maxResults)
        let page = try await tokens.list(
            filter: filter,
            search: call.query.search,
            order: order,
            page: PageRequest(limit: limit, after: after),
            in: try call.organizationID()
        )
        return ListAccessTokensResponse(
            tokens: page.items.map { $0.token.wire(createdBy: $0.createdBy) },
            continuationToken: Self.paging.token(page, filter: conditions) { order.position(of: $0.token).texts }
        )
    }

    func delete(_ call: Call<Operations.DeleteOrgToken>) async throws -> NoContent {
        guard let id = AccessTokenID(call.path.tokenId) else { throw ServiceError.tokenNotFound() }
        try await tokens.delete(id, in: try call.organizationID(), by: call.actor)
        return NoContent()
    }

    private static func order(_ query: Operations.ListOrgTokens.Query) throws(ServiceError) -> OrganizationTokenOrder {
        let field: OrganizationTokenOrder.Field
        switch query.sortBy {
        case .name: field = .name
        case .created, nil: field = .created
        case .lastUsed: field = .lastUsed
        case .expires: field = .expires
        case .unknown: throw .invalid("sortBy", "takes name, created, lastUsed or expires")
        }
        switch query.sortDirection {
        case .asc: return OrganizationTokenOrder(field: field, isDescending: false)
        case .desc: return OrganizationTokenOrder(field: field, isDescending: true)
        // Names are read from A to Z; of times the newest is asked for.
        case nil: return OrganizationTokenOrder(field: field, isDescending: field != .name)
        case .unknown: throw .invalid("sortDirection", "takes asc or desc")
        }
    }
}

extension Call {
    /// The organization of the path, which was looked up when the request was admitted.
    func organizationID() throws(ServiceError) -> OrganizationID {
        guard let id = admission.organizationID else { throw .organizationNotFound("") }
        return id
    }
}
