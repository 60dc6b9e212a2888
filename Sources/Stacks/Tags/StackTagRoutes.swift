import Contract
package import HTTPAPI
import Kernel

/// `/api/stacks/{orgName}/{projectName}/{stackName}/tags`.
package struct StackTagRoutes: RouteGroup {
    private let tags: StackTagService

    package init(tags: StackTagService) {
        self.tags = tags
    }

    package func register(on routes: inout RouteTable) {
        let access = StackPermission.updateTags
        let audit = AuditAction.stackTagsUpdated
        routes.mutation(Operations.UpdateStackTags.self, access: .stack(access), audit: audit, handler: replaceAll)
        routes.mutation(Operations.AddStackTag.self, access: .stack(access), audit: audit, handler: add)
        routes.mutation(Operations.UpdateStackTag.self, access: .stack(access), audit: audit, handler: update)
        routes.mutation(Operations.DeleteStackTag.self, access: .stack(access), audit: audit, handler: delete)
    }

    func replaceAll(_ call: Call<Operations.UpdateStackTags>) async throws -> NoContent {
        try await tags.replaceAll(call.body, of: try call.path.stack(), by: call.actor)
        return NoContent()
    }

    func add(_ call: Call<Operations.AddStackTag>) async throws -> NoContent {
        let stack = try call.path.stack()
        try await tags.add(call.body.name, value: call.body.value, to: stack, by: call.actor)
        return NoContent()
    }

    func update(_ call: Call<Operations.UpdateStackTag>) async throws -> NoContent {
        try await tags.update(
            call.path.tagName,
            newName: call.body.name,
            value: call.body.value,
            of: try call.path.stack(),
            by: call.actor
        )
        return NoContent()
    }

    func delete(_ call: Call<Operations.DeleteStackTag>) async throws -> NoContent {
        try await tags.delete(call.path.tagName, of: try call.path.stack(), by: call.actor)
        return NoContent()
    }
}
