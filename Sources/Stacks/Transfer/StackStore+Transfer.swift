package import Kernel
package import Persistence

extension StackStore {
    /// An organization in which the user can make stacks.
    package func findOrganization(
        _ name: OrganizationName,
        whereCanCreate user: UserID,
        in tx: Transaction
    ) throws -> OrganizationID? {
        try tx.first(
            """
            SELECT o.id FROM organizations o JOIN memberships m ON m.organization_id = o.id
            WHERE o.name = \(name.rawValue) AND m.user_id = \(user) AND m.role IN ('admin', 'member')
            """
        ) { try $0.id(0) }
    }

    /// Takes away what ties a stack to the organization it leaves: the names it had there, and the grants and ownership of
    /// people who do not belong to the new one.
    package func leave(
        _ stack: Stack,
        for organization: OrganizationID,
        newOwner: UserID?,
        tx: Transaction
    ) throws {
        try tx.execute("DELETE FROM stack_former_names WHERE stack_id = \(stack.id)")
        try tx.execute(
            """
            DELETE FROM stack_grants WHERE stack_id = \(stack.id)
            AND user_id NOT IN (SELECT m.user_id FROM memberships m WHERE m.organization_id = \(organization))
            """
        )
        guard let owner = stack.owner else { return }
        let stays = try tx.count(
            "SELECT COUNT(*) FROM memberships WHERE organization_id = \(organization) AND user_id = \(owner)"
        )
        guard stays == 0, let newOwner else { return }
        try setOwner(newOwner, of: stack.id, in: tx)
    }
}
