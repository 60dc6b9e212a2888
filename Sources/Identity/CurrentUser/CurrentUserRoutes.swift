import Contract
package import HTTPAPI
import Kernel

/// `/api/user` and the default organization.
package struct CurrentUserRoutes: RouteGroup {
    private let users: CurrentUserService

    package init(users: CurrentUserService) {
        self.users = users
    }

    package func register(on routes: inout RouteTable) {
        routes.query(Operations.GetCurrentUser.self, access: .authenticated, handler: getCurrentUser)
        routes.query(Operations.GetDefaultOrganization.self, access: .authenticated, handler: getDefaultOrganization)
        routes.mutation(
            Operations.UpdateDefaultOrganization.self,
            access: .authenticated,
            audit: .defaultOrganizationChanged,
            handler: updateDefaultOrganization
        )
    }

    func getCurrentUser(_ call: Call<Operations.GetCurrentUser>) async throws -> Contract.User {
        switch try await users.profile(of: call.actor) {
        case .user(let user, let memberships):
            Contract.User(
                id: user.id.description,
                githubLogin: user.login.rawValue,
                name: user.name,
                email: user.email,
                avatarUrl: user.avatarURL,
                organizations: memberships.map(\.summary),
                identities: [],
                siteAdmin: call.actor.isSiteAdmin,
                hasMFA: false,
                isOrgManaged: false,
                isManagedByMultiOrg: false
            )
        case .organization(let membership, let token):
            // Clients tell a machine's token from a person's by `tokenInfo`.
            Contract.User(
                id: membership.organization.description,
                githubLogin: membership.name.rawValue,
                name: membership.displayName,
                email: "",
                avatarUrl: "",
                organizations: [membership.summary],
                identities: [],
                siteAdmin: false,
                tokenInfo: TokenInfo(name: token, organization: membership.name.rawValue, team: ""),
                hasMFA: false,
                isOrgManaged: false,
                isManagedByMultiOrg: false
            )
        }
    }

    /// Always 200 for a valid token: any other answer breaks nearly every command (`spec/cli-protocol.md` §5.4).
    func getDefaultOrganization(
        _ call: Call<Operations.GetDefaultOrganization>
    ) async throws -> AppGetDefaultOrganizationResponse {
        let name = try await users.defaultOrganization(of: call.actor)
        return AppGetDefaultOrganizationResponse(gitHubLogin: name?.rawValue ?? "", messages: [])
    }

    func updateDefaultOrganization(
        _ call: Call<Operations.UpdateDefaultOrganization>
    ) async throws -> NoContent {
        try await users.setDefaultOrganization(try call.path.organization(), by: call.actor)
        return NoContent()
    }
}

extension Membership {
    fileprivate var summary: OrganizationSummaryWithRole {
        OrganizationSummaryWithRole(
            name: displayName,
            githubLogin: name.rawValue,
            avatarUrl: "",
            role: Contract.OrganizationRole(rawValue: role.rawValue)
        )
    }
}
