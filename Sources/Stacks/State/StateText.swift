package import Kernel
package import Persistence

/// Where the bytes of one text of state are: in its row, or in an object.
package struct StateText: Sendable, Equatable {
    /// SHA-256 of the text.
    package var hash: [UInt8]
    /// Bytes of the text.
    package var size: Int
    /// The text as one gzip member, when that is small.
    package var body: [UInt8]?
    /// The key of the object that holds the gzip member otherwise.
    package var object: String?
    package var resourceCount: Int
}

/// One numbered state of a stack.
///
/// It never changes.
package struct StateVersion: Sendable, Equatable {
    package var version: Int
    package var update: UpdateID?
    package var text: StateText
    package var createdAt: Timestamp
}

/// SQL for `state_versions` and `update_checkpoints`.
package struct StateVersionStore: Sendable {
    private static let textColumns: SQL = "hash, size, body, object, resource_count"

    package init() {}

    package func find(_ version: Int, of stack: StackID, in tx: Transaction) throws -> StateVersion? {
        try tx.first(
            """
            SELECT \(Self.textColumns), version, update_id, created_at FROM state_versions
            WHERE stack_id = \(stack) AND version = \(version)
            """,
            StateVersion.init(row:)
        )
    }

    /// The newest state up to a number: an update that saved nothing leaves no row of its own.
    package func latest(upTo version: Int, of stack: StackID, in tx: Transaction) throws -> StateVersion? {
        try tx.first(
            """
            SELECT \(Self.textColumns), version, update_id, created_at FROM state_versions
            WHERE stack_id = \(stack) AND version <= \(version) ORDER BY version DESC LIMIT 1
            """,
            StateVersion.init(row:)
        )
    }

    package func insert(_ version: StateVersion, of stack: StackID, in tx: Transaction) throws {
        try tx.insert(
            into: "state_versions",
            [
                "stack_id": stack, "version": version.version, "update_id": version.update,
                "hash": version.text.hash, "size": version.text.size, "body": version.text.body,
                "object": version.text.object, "resource_count": version.text.resourceCount,
                "created_at": version.createdAt,
            ]
        )
    }

    /// The last save of an update with checkpoints, and its sequence number.
    package func checkpoint(
        of update: UpdateID,
        in tx: Transaction
    ) throws -> (sequence: Int, text: StateText)? {
        try tx.first(
            "SELECT \(Self.textColumns), sequence FROM update_checkpoints WHERE update_id = \(update)"
        ) { row in (try row.int(5), try StateText(row: row)) }
    }

    package func setCheckpoint(
        _ text: StateText,
        sequence: Int,
        of update: UpdateID,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        try tx.upsert(
            into: "update_checkpoints",
            key: ["update_id": update],
            set: [
                "sequence": sequence, "hash": text.hash, "size": text.size, "body": text.body,
                "object": text.object, "resource_count": text.resourceCount, "saved_at": now,
            ]
        )
    }

    package func deleteCheckpoint(of update: UpdateID, in tx: Transaction) throws {
        try tx.execute("DELETE FROM update_checkpoints WHERE update_id = \(update)")
    }
}

extension StateText {
    init(row: Row) throws {
        self.init(
            hash: try row.bytes(0),
            size: try row.int(1),
            body: try row.optional(2, Row.bytes),
            object: try row.optional(3, Row.text),
            resourceCount: try row.int(4)
        )
    }
}

extension StateVersion {
    init(row: Row) throws {
        self.init(
            version: try row.int(5),
            update: try row.optional(6) { row in { try row.id($0) } },
            text: try StateText(row: row),
            createdAt: try row.timestamp(7)
        )
    }
}
