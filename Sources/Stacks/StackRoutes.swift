import Contract
package import HTTPAPI
import Kernel

/// Stacks themselves: made, read, listed, renamed, deleted.
package struct StackRoutes: RouteGroup {
    private static let paging = ContinuationPaging(operation: "listUserStacks", standard: 500, largest: 1000)

    private let stacks: StackService
    private let renames: StackRenameService

    package init(stacks: StackService, renames: StackRenameService) {
        self.stacks = stacks
        self.renames = renames
    }

    package func register(on routes: inout RouteTable) {
        routes.query(Operations.ListUserStacks.self, access: .authenticated, handler: list)
        routes.query(Operations.ProjectExists.self, access: .project(.listStacks), handler: projectExists)
        routes.query(Operations.GetStack.self, access: .stack(.read), handler: get)
        routes.mutation(
            Operations.CreateStack.self,
            access: .project(.createStack),
            audit: .stackCreated,
            handler: create
        )
        routes.mutation(Operations.RenameStack.self, access: .stack(.rename), audit: .stackRenamed, handler: rename)
        routes.mutation(Operations.DeleteStack.self, access: .stack(.delete), audit: .stackDeleted, handler: delete)
    }

    func create(_ call: Call<Operations.CreateStack>) async throws -> AppCreateStackResponse {
        let project = try call.path.project()
        let ref = StackRef(
            organization: project.organization,
            project: project.project,
            name: try StackName(call.body.stackName)
        )
        let creation = StackCreation(
            ref: ref,
            tags: call.body.tags ?? [:],
            teams: call.body.teams ?? [],
            state: call.body.state?.bytes,
            configuration: call.body.config.map(StackConfiguration.init)
        )
        _ = try await stacks.create(creation, by: call.actor)
        return AppCreateStackResponse()
    }

    func get(_ call: Call<Operations.GetStack>) async throws -> AppStack {
        let view = try await stacks.get(try call.path.stack())
        return AppStack(view)
    }

    func projectExists(_ call: Call<Operations.ProjectExists>) async throws -> NoContent {
        try await stacks.requireProject(try call.path.project())
        return NoContent()
    }

    /// Clients that read no continuation token get everything on one page (`spec/cli-protocol.md` §6.1).
    func list(_ call: Call<Operations.ListUserStacks>) async throws -> AppListStacksResponse {
        let query = call.query
        let filter = StackListFilter(
            organization: query.organization,
            project: query.project,
            tagName: query.tagName,
            tagValue: query.tagName == nil ? nil : query.tagValue
        )
        let conditions = [filter.organization, filter.project, filter.tagName, filter.tagValue].map { $0 ?? "" }
        let after = try Self.paging.after(query.continuationToken, filter: conditions, StackRef.init(cursor:))
        let limit = try Self.paging.limit(query.maxResults)
        let page = try await stacks.list(
            filter: filter,
            page: PageRequest(limit: limit, after: after),
            by: call.actor
        )
        return AppListStacksResponse(
            stacks: page.items.map(AppStackSummary.init),
            continuationToken: Self.paging.token(page, filter: conditions) { summary in
                [summary.ref.organization.rawValue, summary.ref.project.rawValue, summary.ref.name.rawValue]
            }
        )
    }

    func rename(_ call: Call<Operations.RenameStack>) async throws -> AppImportStackResponse {
        let old = try call.path.stack()
        var new = old
        if let name = call.body.newName, !name.isEmpty { new.name = try StackName(name, field: "newName") }
        if let project = call.body.newProject, !project.isEmpty {
            new.project = try ProjectName(project, field: "newProject")
        }
        let update = try await renames.rename(old, to: new, by: call.actor)
        return AppImportStackResponse(updateId: update.description)
    }

    func delete(_ call: Call<Operations.DeleteStack>) async throws -> NoContent {
        try await stacks.delete(try call.path.stack(), force: call.query.force ?? false, by: call.actor)
        return NoContent()
    }
}

extension AppStack {
    init(_ view: StackView) {
        let stack = view.stack
        self.init(
            id: stack.id.description,
            orgName: stack.ref.organization.rawValue,
            projectName: stack.ref.project.rawValue,
            stackName: stack.ref.name.rawValue,
            currentOperation: view.running.map { update in
                AppOperationStatus(
                    kind: AppUpdateKind(rawValue: update.kind.rawValue),
                    author: update.requestedLogin,
                    started: Int((update.startedAt ?? update.createdAt).seconds)
                )
            },
            activeUpdate: stack.activeUpdate?.description ?? "",
            tags: view.tags.values,
            config: stack.configuration.map(AppStackConfig.init),
            version: stack.version
        )
    }
}

extension AppStackSummary {
    fileprivate init(_ summary: StackSummary) {
        self.init(
            id: summary.id.description,
            orgName: summary.ref.organization.rawValue,
            projectName: summary.ref.project.rawValue,
            stackName: summary.ref.name.rawValue,
            lastUpdate: summary.lastUpdateAt.map { Int($0.seconds) },
            resourceCount: summary.resourceCount
        )
    }
}

extension StackRef {
    /// The last stack of a page; nil for what no page of ours ended with.
    fileprivate init?(cursor values: [String]) {
        guard values.count == 3 else { return nil }
        self.init(
            organization: OrganizationName(unchecked: values[0]),
            project: ProjectName(unchecked: values[1]),
            name: StackName(unchecked: values[2])
        )
    }
}
