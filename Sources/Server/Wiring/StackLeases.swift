import Identity
import Kernel
import Persistence
import Stacks

/// Tells `Identity` who holds the lease of an update.
struct StackLeases: LeaseVerifier {
    private let leases = UpdateLeases()

    func holder(token: String, update: UpdateID, of stack: StackRef, in tx: Transaction) throws -> LeaseHolder {
        let (update, stack) = try leases.holder(token: token, update: update, of: stack, in: tx)
        return LeaseHolder(
            user: update.requestedBy,
            login: update.requestedLogin,
            organization: stack.organization,
            stack: stack.id
        )
    }
}
