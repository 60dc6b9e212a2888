import Testing
import APITestKit
import HTTPAPI
import Identity
import Kernel
import Persistence
import TestKit

/// Runs `body` with a server that has the routes of this module.
func withIdentityServer(
    _ engine: Engine,
    issuer: TestIssuer = TestIssuer(),
    _ body: (TestServer) async throws -> Void
) async throws {
    try await withTestServer(engine, routes: { makeRoutes($0, $1, issuer) }, body)
}

private func makeRoutes(_ database: Database, _ effects: Effects, _ issuer: TestIssuer) -> [any RouteGroup] {
    [
        CurrentUserRoutes(users: CurrentUserService(database: database, effects: effects)),
        EmailRoutes(),
        PersonalTokenRoutes(tokens: PersonalTokenService(database: database, effects: effects)),
        BrowserLoginRoutes(
            logins: BrowserLoginService(
                database: database,
                effects: effects,
                tokens: PersonalTokenService(database: database, effects: effects)
            )
        ),
        OrganizationTokenRoutes(tokens: OrganizationTokenService(database: database, effects: effects)),
        OIDCIssuerRoutes(issuers: OIDCIssuerService(database: database, effects: effects, documents: issuer)),
        TokenExchangeRoutes(
            exchange: TokenExchangeService(
                database: database,
                effects: effects,
                keys: IssuerKeys(documents: issuer, effects: effects)
            )
        ),
    ]
}

extension TestServer {
    /// Makes a token and gives its id and who presents it.
    func createToken(_ json: String = "{}", as caller: TestCaller = .dev) async throws -> (id: String, text: String) {
        let reply = try await send("POST", "/api/user/tokens", json: json, as: caller)
        return (reply.json["id"].string ?? "", reply.json["tokenValue"].string ?? "")
    }

    /// Makes a token of an organization and gives its id and who presents it.
    func createOrganizationToken(
        _ name: String = "ci",
        isAdmin: Bool = false,
        more json: String = "",
        in organization: String = "acme",
        as caller: TestCaller = .dev
    ) async throws -> (id: String, caller: TestCaller) {
        let body = #"{"name":"\#(name)","description":"for pipelines","admin":\#(isAdmin)\#(json)}"#
        let reply = try await send("POST", "/api/orgs/\(organization)/tokens", json: body, as: caller)
        return (reply.json["id"].string ?? "", .token(reply.json["tokenValue"].string ?? "none"))
    }

    /// How many tokens there are in the database, whoever they belong to.
    func countTokens() async throws -> Int {
        try await database.read { tx in try tx.count("SELECT COUNT(*) FROM access_tokens") }
    }
}
