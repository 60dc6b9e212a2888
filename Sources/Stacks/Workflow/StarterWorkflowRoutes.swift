import Contract
package import HTTPAPI
import Kernel

/// Files for CI systems, made for a stack.
package struct StarterWorkflowRoutes: RouteGroup {
    private let stacks: StackService

    package init(stacks: StackService) {
        self.stacks = stacks
    }

    package func register(on routes: inout RouteTable) {
        routes.mutation(
            Operations.GetStackStarterWorkflow.self,
            access: .stack(.read),
            unaudited: "it changes nothing: it is a POST because it takes a body",
            handler: generate
        )
    }

    func generate(_ call: Call<Operations.GetStackStarterWorkflow>) async throws -> GetStackStarterWorkflowResponse {
        let view = try await stacks.get(try call.path.stack())
        guard let tag = view.tags.values["pulumi:runtime"] else { throw ServiceError.runtimeTagMissing }
        guard let runtime = StarterWorkflow.Runtime(rawValue: tag) else { throw ServiceError.runtimeUnknown(tag) }
        guard let name = call.body.ciSystem else { throw ServiceError.missing("ciSystem") }
        guard let system = StarterWorkflow.System(rawValue: name) else {
            let known = StarterWorkflow.System.allCases.map(\.rawValue).joined(separator: " or ")
            throw ServiceError.invalid("ciSystem", "is \(known)")
        }
        let workflow = try StarterWorkflow(
            system,
            runtime,
            of: view.stack.ref,
            directory: call.body.workingDirectory ?? "",
            filtersPaths: call.body.enablePathFilters ?? false
        )
        return GetStackStarterWorkflowResponse(content: workflow.text)
    }
}
