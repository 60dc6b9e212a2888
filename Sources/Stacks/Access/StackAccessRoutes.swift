import Contract
package import HTTPAPI
import Kernel

/// Who may do what with a stack: people with grants of their own, members, teams.
package struct StackAccessRoutes: RouteGroup {
    private let access: StackAccessService

    package init(access: StackAccessService) {
        self.access = access
    }

    package func register(on routes: inout RouteTable) {
        routes.query(Operations.ListStackPermissions.self, access: .stack(.readAccess), handler: list)
        routes.query(Operations.ListMemberStackPermissions.self, access: .stack(.readAccess), handler: member)
        routes.query(Operations.ListStackTeams.self, access: .stack(.read), handler: teams)
        routes.mutation(
            Operations.DeleteStackPermission.self,
            access: .stack(.updateAccess),
            audit: .stackCollaboratorRemoved,
            handler: delete
        )
    }

    func list(_ call: Call<Operations.ListStackPermissions>) async throws -> ListStackCollaboratorsResponse {
        let (grants, creator) = try await access.list(try call.path.stack())
        return ListStackCollaboratorsResponse(
            users: grants.map { grant in
                UserPermission(
                    user: UserInfo(grant.person),
                    permission: Contract.StackPermission(rawValue: grant.permission)
                )
            },
            stackCreatorUserName: creator?.login
        )
    }

    func member(
        _ call: Call<Operations.ListMemberStackPermissions>
    ) async throws -> ListMemberStackPermissionsResponse {
        let member = try await access.access(of: call.path.userLogin, to: try call.path.stack())
        return ListMemberStackPermissionsResponse(
            userInfo: UserInfo(member.person),
            organizationRole: OrganizationRole(rawValue: member.role),
            organizationDefault: Contract.StackPermission(rawValue: member.organizationDefault),
            // There are no teams yet to give anything.
            teamPermissions: [],
            explicitPermission: Contract.StackPermission(rawValue: member.grant)
        )
    }

    /// There are no teams yet, so none has a stack.
    func teams(_ call: Call<Operations.ListStackTeams>) async throws -> ListTeamsByStackResponse {
        ListTeamsByStackResponse(projectName: call.path.projectName, teams: [])
    }

    func delete(_ call: Call<Operations.DeleteStackPermission>) async throws -> NoContent {
        try await access.remove(call.path.userName, from: try call.path.stack(), by: call.actor)
        return NoContent()
    }
}
