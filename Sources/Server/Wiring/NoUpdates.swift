import Identity
import Kernel
import Persistence

/// Updates cannot be started yet, so no token of one can be good.
struct NoUpdates: LeaseVerifier {
    func holder(token: String, update: UpdateID, of stack: StackRef, in tx: Transaction) throws -> LeaseHolder {
        throw ServiceError(.notFound, "Not Found: Update '\(update)' not found")
    }
}
