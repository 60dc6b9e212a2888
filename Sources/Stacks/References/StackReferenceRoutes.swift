import Contract
package import HTTPAPI
import Kernel

/// Which stacks a stack reads, and which read it.
package struct StackReferenceRoutes: RouteGroup {
    private let references: StackReferenceService

    package init(references: StackReferenceService) {
        self.references = references
    }

    package func register(on routes: inout RouteTable) {
        routes.query(Operations.ListUpstreamStackReferences.self, access: .stack(.read), handler: upstream)
        routes.query(Operations.ListDownstreamStackReferences.self, access: .stack(.read), handler: downstream)
    }

    func upstream(
        _ call: Call<Operations.ListUpstreamStackReferences>
    ) async throws -> ListDownstreamStackReferencesResponse {
        let stacks = try await references.upstream(of: try call.path.stack(), for: call.actor)
        return ListDownstreamStackReferencesResponse(referencedStacks: stacks.map(StackReference.init))
    }

    func downstream(
        _ call: Call<Operations.ListDownstreamStackReferences>
    ) async throws -> ListDownstreamStackReferencesResponse {
        let stacks = try await references.downstream(of: try call.path.stack(), for: call.actor)
        return ListDownstreamStackReferencesResponse(referencedStacks: stacks.map(StackReference.init))
    }
}

extension StackReference {
    init(_ stack: ReferencedStack) {
        self.init(
            organization: stack.ref.organization.rawValue,
            routingProject: stack.ref.project.rawValue,
            name: stack.ref.name.rawValue,
            version: stack.version
        )
    }
}
