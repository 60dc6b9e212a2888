package import Kernel
package import Persistence

/// SQL for `updates`.
package struct UpdateStore: Sendable {
    private static let columns: SQL = """
        id, stack_id, kind, is_preview, status, end_reason, version, generation, journal_version, lease_hash, \
        lease_expires_at, requested_by, requested_login, client_version, program, config, message, environment, \
        resource_changes, resource_count, created_at, started_at, ended_at
        """

    package init() {}

    package func find(_ id: UpdateID, of stack: StackID, in tx: Transaction) throws -> Update? {
        try tx.first(
            "SELECT \(Self.columns) FROM updates WHERE id = \(id) AND stack_id = \(stack)",
            Update.init(row:)
        )
    }

    package func insert(_ update: Update, in tx: Transaction) throws {
        try tx.insert(
            into: "updates",
            [
                "id": update.id, "stack_id": update.stack, "kind": update.kind.rawValue,
                "is_preview": update.isPreview, "status": update.status.rawValue, "version": update.version,
                "generation": update.generation, "journal_version": update.journalVersion,
                "lease_hash": update.leaseHash, "lease_expires_at": update.leaseExpiresAt,
                "requested_by": update.requestedBy, "requested_login": update.requestedLogin,
                "client_version": update.clientVersion, "program": update.program.program,
                "config": update.program.config, "message": update.program.message,
                "environment": update.program.environment, "resource_changes": update.resourceChanges,
                "resource_count": update.resourceCount, "created_at": update.createdAt,
                "started_at": update.startedAt, "ended_at": update.endedAt,
            ]
        )
    }

    /// Records the start: status, numbers and lease.
    package func start(_ update: Update, in tx: Transaction) throws {
        try tx.execute(
            """
            UPDATE updates SET status = \(update.status.rawValue), version = \(update.version),
            generation = \(update.generation), journal_version = \(update.journalVersion),
            lease_hash = \(update.leaseHash.sqlValue), lease_expires_at = \(update.leaseExpiresAt.sqlValue),
            client_version = \(update.clientVersion.sqlValue), started_at = \(update.startedAt.sqlValue)
            WHERE id = \(update.id)
            """
        )
    }

    package func extendLease(of id: UpdateID, to end: Timestamp, in tx: Transaction) throws {
        try tx.execute("UPDATE updates SET lease_expires_at = \(end) WHERE id = \(id)")
    }

    /// Moves the end of every running update's lease.
    package func extendAllLeases(by time: Duration, in tx: Transaction) throws {
        let (seconds, attoseconds) = time.components
        let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        try tx.execute(
            """
            UPDATE updates SET lease_expires_at = lease_expires_at + \(microseconds)
            WHERE status = \(UpdateStatus.running.rawValue)
            """
        )
    }

    /// Records the end of an update.
    package func finish(
        _ id: UpdateID,
        status: UpdateStatus,
        expired: Bool,
        resourceCount: Int?,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        let reason: String? = expired ? "expired" : nil
        try tx.execute(
            """
            UPDATE updates SET status = \(status.rawValue), end_reason = \(reason.sqlValue),
            resource_count = \(resourceCount.sqlValue), ended_at = \(now) WHERE id = \(id)
            """
        )
    }

    /// Ends the previews of a stack that is deleted: their holders do not find it any more, and nor would those who end
    /// what is left behind.
    package func cancelPreviews(of stack: StackID, at now: Timestamp, in tx: Transaction) throws {
        try tx.execute(
            """
            UPDATE updates SET status = \(UpdateStatus.cancelled.rawValue), ended_at = \(now)
            WHERE stack_id = \(stack) AND is_preview = 1 AND status = \(UpdateStatus.running.rawValue)
            """
        )
    }

    package func setResourceChanges(_ text: String, of id: UpdateID, in tx: Transaction) throws {
        try tx.execute("UPDATE updates SET resource_changes = \(text) WHERE id = \(id)")
    }

    /// Updates that run with a lease that ended before `time`.
    package func expired(before time: Timestamp, limit: Int, in tx: Transaction) throws -> [Update] {
        try tx.all(
            """
            SELECT \(Self.columns) FROM updates
            WHERE status = \(UpdateStatus.running.rawValue) AND lease_expires_at < \(time)
            ORDER BY lease_expires_at LIMIT \(limit)
            """,
            Update.init(row:)
        )
    }

    /// Numbered updates of a stack, newest first.
    package func history(of stack: StackID, skip: Int, limit: Int, in tx: Transaction) throws -> [Update] {
        try tx.all(
            """
            SELECT \(Self.columns) FROM updates WHERE stack_id = \(stack) AND is_preview = 0 AND version > 0
            ORDER BY version DESC, id DESC LIMIT \(limit) OFFSET \(skip)
            """,
            Update.init(row:)
        )
    }

    package func countHistory(of stack: StackID, in tx: Transaction) throws -> Int {
        try tx.count("SELECT COUNT(*) FROM updates WHERE stack_id = \(stack) AND is_preview = 0 AND version > 0")
    }

    /// Numbered updates of a stack before a version, newest first.
    package func history(of stack: StackID, before version: Int, limit: Int, in tx: Transaction) throws -> [Update] {
        try tx.all(
            """
            SELECT \(Self.columns) FROM updates
            WHERE stack_id = \(stack) AND is_preview = 0 AND version > 0 AND version < \(version)
            ORDER BY version DESC, id DESC LIMIT \(limit)
            """,
            Update.init(row:)
        )
    }

    /// Previews of a stack by their age.
    ///
    /// - Parameter versions: the versions that they looked at; nil for any.
    package func previews(
        of stack: StackID,
        versions: ClosedRange<Int>?,
        isAscending: Bool,
        skip: Int,
        limit: Int,
        in tx: Transaction
    ) throws -> [Update] {
        let direction: SQL = isAscending ? "ASC" : "DESC"
        return try tx.all(
            """
            SELECT \(Self.columns) FROM updates WHERE \(Self.arePreviews(of: stack, versions))
            ORDER BY id \(direction) LIMIT \(limit) OFFSET \(skip)
            """,
            Update.init(row:)
        )
    }

    package func countPreviews(of stack: StackID, versions: ClosedRange<Int>?, in tx: Transaction) throws -> Int {
        try tx.count("SELECT COUNT(*) FROM updates WHERE \(Self.arePreviews(of: stack, versions))")
    }

    private static func arePreviews(of stack: StackID, _ versions: ClosedRange<Int>?) -> SQL {
        let range: SQL = versions.map { "AND version BETWEEN \($0.lowerBound) AND \($0.upperBound)" } ?? ""
        return "stack_id = \(stack) AND is_preview = 1 \(range)"
    }

    package func find(version: Int, of stack: StackID, in tx: Transaction) throws -> Update? {
        try tx.first(
            """
            SELECT \(Self.columns) FROM updates
            WHERE stack_id = \(stack) AND version = \(version) AND is_preview = 0 ORDER BY id DESC LIMIT 1
            """,
            Update.init(row:)
        )
    }
}

extension Update {
    init(row: Row) throws {
        self.init(
            id: try row.id(0),
            stack: try row.id(1),
            kind: UpdateKind(rawValue: try row.text(2)) ?? .update,
            isPreview: try row.bool(3),
            status: UpdateStatus(rawValue: try row.text(4)) ?? .failed,
            isExpired: try row.optional(5, Row.text) == "expired",
            version: try row.int(6),
            generation: try row.int(7),
            journalVersion: try row.int(8),
            leaseHash: try row.optional(9, Row.bytes),
            leaseExpiresAt: try row.optional(10, Row.timestamp),
            requestedBy: try row.optional(11) { row in { try row.id($0) } },
            requestedLogin: try row.text(12),
            clientVersion: try row.optional(13, Row.text),
            program: UpdateProgram(
                program: try row.text(14),
                config: try row.text(15),
                message: try row.text(16),
                environment: try row.text(17)
            ),
            resourceChanges: try row.optional(18, Row.text),
            resourceCount: try row.optional(19, Row.int),
            createdAt: try row.timestamp(20),
            startedAt: try row.optional(21, Row.timestamp),
            endedAt: try row.optional(22, Row.timestamp)
        )
    }
}
