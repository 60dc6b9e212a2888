package import Kernel
package import Persistence

/// SQL for `stacks`, `stack_grants` and `stack_former_names`.
///
/// Stateless: every method runs inside the caller's transaction.
package struct StackStore: Sendable {
    static let columns: SQL = """
        s.id, s.organization_id, o.name, s.project, s.name, s.version, s.generation, s.active_update_id, \
        s.running_update_id, s.resource_count, s.last_update_at, s.owner_id, s.created_at, s.notify_update_success, \
        s.notify_update_failure, s.config_environment, s.config_secrets_provider, s.config_encrypted_key, \
        s.config_encryption_salt
        """
    /// The number of columns, so that more can follow.
    static let columnCount = 19
    static let tables: SQL = "stacks s JOIN organizations o ON o.id = s.organization_id"

    package init() {}

    package func find(_ ref: StackRef, in tx: Transaction) throws -> Stack? {
        try tx.first(
            """
            SELECT \(Self.columns) FROM \(Self.tables)
            WHERE o.name = \(ref.organization.rawValue) AND s.project = \(ref.project.rawValue)
            AND s.name = \(ref.name.rawValue) AND s.live = 1
            """,
            Stack.init(row:)
        )
    }

    package func find(_ id: StackID, in tx: Transaction) throws -> Stack? {
        try tx.first("SELECT \(Self.columns) FROM \(Self.tables) WHERE s.id = \(id) AND s.live = 1", Stack.init(row:))
    }

    /// The stack, with its row locked until the transaction ends: what is decided on it stays true until the commit.
    package func lock(_ ref: StackRef, in tx: Transaction) throws -> Stack? {
        guard let stack = try find(ref, in: tx) else { return nil }
        try lockRow(stack.id, in: tx)
        return try find(ref, in: tx)
    }

    package func lock(_ id: StackID, in tx: Transaction) throws -> Stack? {
        try lockRow(id, in: tx)
        return try find(id, in: tx)
    }

    private func lockRow(_ id: StackID, in tx: Transaction) throws {
        try Failpoint.reach(.stackLock)
        try tx.lock("stacks", where: "id = \(id)")
        try Failpoint.reach(.stackLocked)
    }

    package func findOrganization(_ name: OrganizationName, in tx: Transaction) throws -> OrganizationID? {
        try tx.first("SELECT id FROM organizations WHERE name = \(name.rawValue)") { try $0.id(0) }
    }

    package func projectExists(_ project: ProjectRef, in tx: Transaction) throws -> Bool {
        try tx.first(
            """
            SELECT 1 FROM \(Self.tables) WHERE o.name = \(project.organization.rawValue)
            AND s.project = \(project.project.rawValue) AND s.live = 1 LIMIT 1
            """
        ) { _ in true } ?? false
    }

    package func insert(_ stack: Stack, by creator: UserID?, in tx: Transaction) throws {
        try tx.insert(
            into: "stacks",
            [
                "id": stack.id, "organization_id": stack.organization, "project": stack.ref.project.rawValue,
                "name": stack.ref.name.rawValue, "live": 1, "version": stack.version,
                "generation": stack.generation, "created_by": creator, "owner_id": stack.owner,
                "created_at": stack.createdAt, "notify_update_success": stack.notifications.onSuccess,
                "notify_update_failure": stack.notifications.onFailure,
                "config_environment": stack.configuration?.environment,
                "config_secrets_provider": stack.configuration?.secretsProvider,
                "config_encrypted_key": stack.configuration?.encryptedKey,
                "config_encryption_salt": stack.configuration?.encryptionSalt,
            ]
        )
    }

    /// Gives one person a level on the stack.
    package func grant(
        _ permission: Int,
        on stack: StackID,
        to user: UserID,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        try tx.upsert(
            into: "stack_grants",
            key: ["stack_id": stack, "user_id": user],
            set: ["permission": permission, "created_at": now]
        )
    }

    /// Gives the stack another name or another organization.
    package func move(
        _ id: StackID,
        to ref: StackRef,
        in organization: OrganizationID,
        tx: Transaction
    ) throws {
        try tx.execute(
            """
            UPDATE stacks SET organization_id = \(organization), project = \(ref.project.rawValue),
            name = \(ref.name.rawValue) WHERE id = \(id)
            """
        )
    }

    /// Remembers which stack had a name, for as long as no other stack takes it.
    package func rememberFormerName(
        _ ref: StackRef,
        in organization: OrganizationID,
        of stack: StackID,
        at now: Timestamp,
        tx: Transaction
    ) throws {
        try tx.upsert(
            into: "stack_former_names",
            key: ["organization_id": organization, "project": ref.project.rawValue, "name": ref.name.rawValue],
            set: ["stack_id": stack, "renamed_at": now]
        )
    }

    package func forgetFormerName(_ ref: StackRef, in organization: OrganizationID, tx: Transaction) throws {
        try tx.execute(
            """
            DELETE FROM stack_former_names WHERE organization_id = \(organization)
            AND project = \(ref.project.rawValue) AND name = \(ref.name.rawValue)
            """
        )
    }

    /// Lets an update take the stack: from now on it is the one that runs.
    package func take(_ id: StackID, by update: UpdateID, generation: Int, at now: Timestamp, in tx: Transaction) throws
    {
        try tx.execute(
            """
            UPDATE stacks SET running_update_id = \(update), active_update_id = \(update), generation = \(generation),
            last_update_at = \(now) WHERE id = \(id)
            """
        )
    }

    /// Makes a preview the most recent update, unless one holds the stack: that one is not lost sight of.
    package func showPreview(_ preview: UpdateID, of id: StackID, in tx: Transaction) throws {
        try tx.execute(
            "UPDATE stacks SET active_update_id = \(preview) WHERE id = \(id) AND running_update_id IS NULL"
        )
    }

    /// Ends the hold of an update, whose version becomes the stack's.
    ///
    /// - Parameter resourceCount: nil when the update saved no state.
    package func release(_ id: StackID, version: Int, resourceCount: Int?, in tx: Transaction) throws {
        let count: SQL = resourceCount.map { ", resource_count = \($0)" } ?? ""
        try tx.execute(
            "UPDATE stacks SET running_update_id = NULL, version = \(version) \(count) WHERE id = \(id)"
        )
    }

    /// Records a version that was made in one step: an import, a rename.
    package func advance(
        _ id: StackID,
        version: Int,
        update: UpdateID,
        resourceCount: Int,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        try tx.execute(
            """
            UPDATE stacks SET version = \(version), active_update_id = \(update), resource_count = \(resourceCount),
            last_update_at = \(now) WHERE id = \(id)
            """
        )
    }

    /// Takes the stack out of sight.
    ///
    /// Its row and what belongs to it stay, so that it can be brought back.
    package func markDeleted(_ id: StackID, at now: Timestamp, in tx: Transaction) throws {
        try tx.execute(
            """
            UPDATE stacks SET live = NULL, deleted_at = \(now), generation = generation + 1, running_update_id = NULL
            WHERE id = \(id)
            """
        )
        try tx.execute("DELETE FROM stack_former_names WHERE stack_id = \(id)")
    }
}

extension Stack {
    init(row: Row) throws {
        self.init(
            id: try row.id(0),
            organization: try row.id(1),
            ref: StackRef(
                organization: OrganizationName(unchecked: try row.text(2)),
                project: ProjectName(unchecked: try row.text(3)),
                name: StackName(unchecked: try row.text(4))
            ),
            version: try row.int(5),
            generation: try row.int(6),
            activeUpdate: try row.optional(7) { row in { try row.id($0) } },
            runningUpdate: try row.optional(8) { row in { try row.id($0) } },
            resourceCount: try row.optional(9, Row.int),
            lastUpdateAt: try row.optional(10, Row.timestamp),
            owner: try row.optional(11) { row in { try row.id($0) } },
            createdAt: try row.timestamp(12),
            notifications: StackNotifications(onSuccess: try row.bool(13), onFailure: try row.bool(14)),
            configuration: try row.optional(15, Row.text).map { environment in
                StackConfiguration(
                    environment: environment,
                    secretsProvider: try row.optional(16, Row.text),
                    encryptedKey: try row.optional(17, Row.text),
                    encryptionSalt: try row.optional(18, Row.text)
                )
            }
        )
    }
}
