package import Kernel
package import Persistence

/// Levels of direct grants, on the contract's scale (`spec/rest-wider.md` §5).
package enum StackGrant {
    package static let administrator = 103
    /// The level of the one who made a stack, or whom it was given to.
    package static let creator = 104
}

extension StackStore {
    package func setNotifications(_ value: StackNotifications, of id: StackID, in tx: Transaction) throws {
        try tx.execute(
            """
            UPDATE stacks SET notify_update_success = \(value.onSuccess), notify_update_failure = \(value.onFailure)
            WHERE id = \(id)
            """
        )
    }

    package func setOwner(_ owner: UserID, of id: StackID, in tx: Transaction) throws {
        try tx.execute("UPDATE stacks SET owner_id = \(owner) WHERE id = \(id)")
    }

    /// Takes from a grant what is above a level.
    package func lowerGrant(_ level: Int, on stack: StackID, of user: UserID, in tx: Transaction) throws {
        try tx.execute(
            """
            UPDATE stack_grants SET permission = \(level)
            WHERE stack_id = \(stack) AND user_id = \(user) AND permission > \(level)
            """
        )
    }
}
