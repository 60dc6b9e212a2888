import Contract
package import HTTPAPI
import Kernel
import StateStore

/// The resources of a stack, of its newest version or of an earlier one.
package struct StackResourceRoutes: RouteGroup {
    private let resources: StackResourceService
    private let stacks: StackService
    private let references: StackReferenceService

    package init(resources: StackResourceService, stacks: StackService, references: StackReferenceService) {
        self.resources = resources
        self.stacks = stacks
        self.references = references
    }

    package func register(on routes: inout RouteTable) {
        routes.query(Operations.GetStackResourceCount.self, access: .stack(.read), handler: count)
        routes.query(Operations.GetLatestStackResources.self, access: .stack(.read), handler: latest)
        routes.query(Operations.GetLatestStackResource.self, access: .stack(.read), handler: latestOne)
        routes.query(Operations.GetStackResources.self, access: .stack(.read), handler: version)
        routes.query(Operations.GetStackResource.self, access: .stack(.read), handler: versionOne)
        routes.query(Operations.GetStackOverview.self, access: .stack(.read), handler: overview)
    }

    func count(_ call: Call<Operations.GetStackResourceCount>) async throws -> GetStackResourceCountResponse {
        let (count, version) = try await resources.count(of: try call.path.stack())
        return GetStackResourceCountResponse(resourceCount: count, version: version)
    }

    func latest(_ call: Call<Operations.GetLatestStackResources>) async throws -> GetStackResourcesResponse {
        GetStackResourcesResponse(try await resources.list(of: try call.path.stack()))
    }

    func latestOne(_ call: Call<Operations.GetLatestStackResource>) async throws -> GetStackResourceResponse {
        try GetStackResourceResponse(try await resources.find(call.path.urn, of: try call.path.stack()))
    }

    func version(_ call: Call<Operations.GetStackResources>) async throws -> GetStackResourcesResponse {
        let number = try HistoryRoutes.number(call.path.version)
        return GetStackResourcesResponse(try await resources.list(of: try call.path.stack(), version: number))
    }

    func versionOne(_ call: Call<Operations.GetStackResource>) async throws -> GetStackResourceResponse {
        let number = try HistoryRoutes.number(call.path.version)
        let found = try await resources.find(call.path.urn, of: try call.path.stack(), version: number)
        return try GetStackResourceResponse(found)
    }

    /// What a console shows of a stack at first.
    func overview(_ call: Call<Operations.GetStackOverview>) async throws -> StackOverviewResponse {
        let ref = try call.path.stack()
        let view = try await stacks.get(ref)
        let referenced = try await references.upstream(of: ref, for: call.actor)
        return StackOverviewResponse(
            tags: view.tags.values,
            referencedStacks: referenced.map(StackReference.init),
            resources: GetStackResourcesResponse(try await resources.list(of: ref))
        )
    }
}

extension GetStackResourcesResponse {
    init(_ found: StackResources) {
        self.init(
            resources: found.resources.map { ResourceInfo(resource: Resource($0)) },
            region: found.region,
            version: found.version
        )
    }
}

extension GetStackResourceResponse {
    /// - Parameter found: exactly one resource.
    fileprivate init(_ found: StackResources) throws {
        guard let resource = found.resources.first else {
            throw ServiceError(.internalError, "a resource that was found is gone")
        }
        self.init(resource: ResourceInfo(resource: Resource(resource)), region: found.region, version: found.version)
    }
}
