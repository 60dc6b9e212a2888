import Crypto
package import Kernel
package import Persistence

/// Looks up who holds the lease of an update; the port of `Identity` is filled with this by `Server`.
package struct UpdateLeases: Sendable {
    private let stacks = StackStore()
    private let updates = UpdateStore()

    package init() {}

    /// The update and its stack, if the token is the update's.
    ///
    /// - Throws: `.notFound` when the stack has no such update; `.permissionDenied` for another token.
    package func holder(
        token: String,
        update id: UpdateID,
        of ref: StackRef,
        in tx: Transaction
    ) throws -> (update: Update, stack: Stack) {
        guard let stack = try stacks.find(ref, in: tx), let update = try updates.find(id, of: stack.id, in: tx) else {
            throw ServiceError.updateNotFound(id)
        }
        guard update.status != .notStarted else { throw ServiceError.updateNotStarted }
        guard let hash = update.leaseHash, ConstantTime.equal(hash, SHA256.hash(token).bytes) else {
            throw ServiceError.leaseWrong
        }
        return (update, stack)
    }
}
