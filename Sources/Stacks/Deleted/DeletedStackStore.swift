package import Kernel
package import Persistence

/// A deleted stack that can still be brought back.
package struct DeletedStackEntry: Sendable {
    package var stack: Stack
    package var deletedAt: Timestamp
    package var lastUpdate: Update?
}

extension StackStore {
    /// The stacks of an organization that were deleted last, newest first.
    package func deleted(
        in organization: OrganizationID,
        limit: Int,
        tx: Transaction
    ) throws -> [(stack: Stack, deletedAt: Timestamp)] {
        try tx.all(
            """
            SELECT \(Self.columns), s.deleted_at FROM \(Self.tables)
            WHERE s.organization_id = \(organization) AND s.deleted_at IS NOT NULL
            ORDER BY s.deleted_at DESC, s.id DESC LIMIT \(limit)
            """
        ) { row in (try Stack(row: row), try row.timestamp(Self.columnCount)) }
    }

    /// A deleted stack of the organization, with its row locked.
    package func lockDeleted(
        _ id: StackID,
        in organization: OrganizationID,
        tx: Transaction
    ) throws -> Stack? {
        try tx.lock("stacks", where: "id = \(id)")
        return try tx.first(
            """
            SELECT \(Self.columns) FROM \(Self.tables)
            WHERE s.id = \(id) AND s.organization_id = \(organization) AND s.deleted_at IS NOT NULL
            """,
            Stack.init(row:)
        )
    }

    /// Brings a deleted stack back into sight, under a name.
    package func markLive(_ id: StackID, as ref: StackRef, in tx: Transaction) throws {
        try tx.execute(
            """
            UPDATE stacks SET live = 1, deleted_at = NULL, project = \(ref.project.rawValue),
            name = \(ref.name.rawValue) WHERE id = \(id)
            """
        )
    }
}
