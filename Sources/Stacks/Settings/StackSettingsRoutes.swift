import Contract
package import HTTPAPI
import Kernel

/// What people set about a stack: who owns it, and which outcomes they want to hear of.
package struct StackSettingsRoutes: RouteGroup {
    private let settings: StackSettingsService

    package init(settings: StackSettingsService) {
        self.settings = settings
    }

    package func register(on routes: inout RouteTable) {
        routes.query(Operations.GetStackMetadata.self, access: .stack(.read), handler: get)
        routes.mutation(
            Operations.UpdateStackNotificationSettings.self,
            access: .stack(.write),
            audit: .stackNotificationsUpdated,
            handler: updateNotifications
        )
        routes.mutation(
            Operations.ReassignStackOwnership.self,
            access: .stack(.updateAccess),
            audit: .stackOwnerChanged,
            handler: reassign
        )
    }

    func get(_ call: Call<Operations.GetStackMetadata>) async throws -> StackMetadata {
        let (stack, owner) = try await settings.get(try call.path.stack())
        return StackMetadata(stack, owner: owner)
    }

    func updateNotifications(
        _ call: Call<Operations.UpdateStackNotificationSettings>
    ) async throws -> StackMetadata {
        let (stack, owner) = try await settings.setNotifications(
            onSuccess: call.body.notifyUpdateSuccess,
            onFailure: call.body.notifyUpdateFailure,
            of: try call.path.stack(),
            by: call.actor
        )
        return StackMetadata(stack, owner: owner)
    }

    /// The answer is who owned the stack before (`spec/rest-wider.md` §19).
    func reassign(_ call: Call<Operations.ReassignStackOwnership>) async throws -> UserInfo {
        let login = call.body.githubLogin
        return UserInfo(try await settings.setOwner(login, of: try call.path.stack(), by: call.actor))
    }
}

extension StackMetadata {
    init(_ stack: Stack, owner: Person) {
        self.init(
            id: stack.id.description,
            orgName: stack.ref.organization.rawValue,
            projectName: stack.ref.project.rawValue,
            stackName: stack.ref.name.rawValue,
            ownedBy: UserInfo(owner),
            notificationSettings: StackNotificationSettings(
                notifyUpdateFailure: stack.notifications.onFailure,
                notifyUpdateSuccess: stack.notifications.onSuccess
            )
        )
    }
}
