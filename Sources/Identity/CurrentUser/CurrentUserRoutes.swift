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
        let (user, memberships) = try await users.profile(of: call.actor)
        return Contract.User(
            id: user.id.description,
            githubLogin: user.login.rawValue,
            name: user.name,
            email: user.email,
            avatarUrl: user.avatarURL,
            organizations: memberships.map { membership in
                OrganizationSummaryWithRole(
                    name: membership.displayName,
                    githubLogin: membership.name.rawValue,
                    avatarUrl: "",
                    role: Contract.OrganizationRole(rawValue: membership.role.rawValue)
                )
            },
            identities: [],
            siteAdmin: user.isSiteAdmin,
            hasMFA: false,
            isOrgManaged: false,
            isManagedByMultiOrg: false
        )
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
