import Contract
package import HTTPAPI
import Kernel

/// `/api/oauth/token`.
package struct TokenExchangeRoutes: RouteGroup {
    private let exchange: TokenExchangeService

    package init(exchange: TokenExchangeService) {
        self.exchange = exchange
    }

    package func register(on routes: inout RouteTable) {
        routes.mutation(
            Operations.Token.self,
            access: .anonymous,
            unaudited: "each kind of token has an action of its own, …-token-created-for-oidc-issuer",
            options: RouteOptions(limits: BodyLimits(65_536)),
            handler: token
        )
    }

    /// Always exactly 200: clients take no other status for success.
    func token(_ call: Call<Operations.Token>) async throws -> TokenExchangeGrantResponse {
        let fields = try ExchangeFields(try await call.content.collect(), contentType: call.content.contentType)
        let request = try TokenExchangeRequest(fields)
        let given = try await exchange.exchange(request, from: call.actor.sourceAddress)
        return TokenExchangeGrantResponse(
            accessToken: given.secret.text.reveal(),
            issuedTokenType: request.type,
            tokenType: "token",
            expiresIn: given.life,
            scope: request.scope
        )
    }
}
