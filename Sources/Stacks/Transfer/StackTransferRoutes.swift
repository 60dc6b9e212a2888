import Contract
package import HTTPAPI
import Kernel

/// Gives stacks to other organizations.
package struct StackTransferRoutes: RouteGroup {
    private let moves: StackRenameService

    package init(moves: StackRenameService) {
        self.moves = moves
    }

    package func register(on routes: inout RouteTable) {
        routes.mutation(
            Operations.TransferStack.self,
            access: .stack(.transfer),
            audit: .stackTransferred,
            handler: transfer
        )
    }

    /// The body repeats what the path says; where it says something else nobody knows which stack is meant.
    func transfer(_ call: Call<Operations.TransferStack>) async throws -> NoContent {
        let stack = try call.path.stack()
        for (field, said, meant) in [
            ("fromOrg", call.body.fromOrg, stack.organization.rawValue),
            ("projectName", call.body.projectName, stack.project.rawValue),
            ("stackName", call.body.stackName, stack.name.rawValue),
        ] {
            guard let said, !said.isEmpty, said != meant else { continue }
            throw ServiceError.invalid(field, "must be that of the path, '\(meant)'")
        }
        try await moves.transfer(stack, to: try OrganizationName(call.body.toOrg, field: "toOrg"), by: call.actor)
        return NoContent()
    }
}
