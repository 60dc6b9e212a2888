package import Contract
package import HTTPAPI
import Kernel

/// `/api/user/tokens`.
package struct PersonalTokenRoutes: RouteGroup {
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
}
