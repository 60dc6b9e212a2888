import Contract
package import HTTPAPI
import Kernel

/// `/api/user/tokens`.
package struct PersonalTokenRoutes: RouteGroup {
    private static let paging = ContinuationPaging(operation: "listPersonalTokens", standard: 100, largest: 1000)

    private let tokens: PersonalTokenService

    package init(tokens: PersonalTokenService) {
        self.tokens = tokens
    }

    package func register(on routes: inout RouteTable) {
        routes.query(Operations.ListPersonalTokens.self, access: .authenticated, handler: list)
        routes.mutation(
            Operations.CreatePersonalToken.self,
            access: .authenticated,
            audit: .personalTokenCreated,
            handler: create
        )
        routes.mutation(
            Operations.DeletePersonalToken.self,
            access: .authenticated,
            audit: .personalTokenDeleted,
            handler: delete
        )
    }

    func create(_ call: Call<Operations.CreatePersonalToken>) async throws -> CreateAccessTokenResponse {
        let (token, secret) = try await tokens.create(
            description: call.body.description ?? "",
            expires: call.body.expires,
            reason: call.query.reason,
            by: call.actor
        )
        return CreateAccessTokenResponse(id: token.id.description, tokenValue: secret.text.reveal())
    }

    func list(_ call: Call<Operations.ListPersonalTokens>) async throws -> ListAccessTokensResponse {
        guard let filter = TokenFilter(rawValue: call.query.filter ?? TokenFilter.active.rawValue) else {
            throw ServiceError.invalid("filter", "takes active, expired or all")
        }
        let conditions = [filter.rawValue, call.query.search ?? ""]
        let after = try Self.paging.after(call.query.continuationToken, filter: conditions) { values in
            values.count == 1 ? AccessTokenID(values[0]) : nil
        }
        let limit = try Self.paging.limit(call.query.maxResults)
        let page = try await tokens.list(
            filter: filter,
            search: call.query.search,
            page: PageRequest(limit: limit, after: after),
            by: call.actor
        )
        return ListAccessTokensResponse(
            tokens: page.items.map { $0.wire(createdBy: call.actor.login) },
            continuationToken: Self.paging.token(page, filter: conditions) { [$0.id.description] }
        )
    }

    func delete(_ call: Call<Operations.DeletePersonalToken>) async throws -> NoContent {
        guard let id = AccessTokenID(call.path.tokenId) else { throw ServiceError.tokenNotFound() }
        try await tokens.delete(id, by: call.actor)
        return NoContent()
    }
}
