import Contract
package import HTTPAPI
import Kernel

/// `/api/orgs/{orgName}/restore-stack`: deleted stacks, and their way back.
package struct DeletedStackRoutes: RouteGroup {
    private let deleted: DeletedStackService

    package init(deleted: DeletedStackService) {
        self.deleted = deleted
    }

    package func register(on routes: inout RouteTable) {
        routes.query(Operations.ListDeletedStacks.self, access: .organization(.listDeletedStacks), handler: list)
        routes.mutation(
            Operations.RestoreDeletedStack.self,
            access: .organization(.restoreDeletedStacks),
            audit: .stackRestored,
            handler: restore
        )
    }

    func list(_ call: Call<Operations.ListDeletedStacks>) async throws -> ListDeletedStacksResponse {
        let entries = try await deleted.list(in: try call.requireOrganization())
        return ListDeletedStacksResponse(deletedStacks: entries.map(DeletedStack.init))
    }

    func restore(_ call: Call<Operations.RestoreDeletedStack>) async throws -> NoContent {
        guard let id = StackID(call.path.programID) else {
            throw ServiceError.deletedStackNotFound(call.path.programID)
        }
        let text = call.body.stackName ?? ""
        let name = text.isEmpty ? nil : try StackName(text)
        try await deleted.restore(id, as: name, in: try call.requireOrganization(), by: call.actor)
        return NoContent()
    }
}

extension DeletedStack {
    fileprivate init(_ entry: DeletedStackEntry) {
        let stack = entry.stack
        let update = entry.lastUpdate
        self.init(
            id: stack.id.description,
            programId: stack.id.description,
            projectName: stack.ref.project.rawValue,
            stackName: stack.ref.name.rawValue,
            version: stack.version,
            deletedAt: Int(entry.deletedAt.seconds),
            lastUpdate: update.map(StackUpdateSummary.init)
                ?? StackUpdateSummary(result: .notStarted, startTime: 0, endTime: 0, resourceCount: 0)
        )
    }
}
