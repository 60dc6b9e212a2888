package import Kernel
package import Persistence
import StateStore

/// A whole state that a running update saved: the body as it was sent.
package struct SavedCheckpoint: Sendable, Equatable {
    package var sequence: Int
    package var text: FramedText
    package var bytes: StoredBytes
    package var resourceCount: Int
}

/// A difference that was saved after it: the body as it was sent.
package struct SavedDelta: Sendable, Equatable {
    package var sequence: Int
    /// SHA-256 of the text that comes out.
    package var hash: [UInt8]
    package var bytes: StoredBytes
    package var resourceCount: Int
}

/// The last save of an update: a whole state, and the differences since.
package struct SavedText: Sendable, Equatable {
    package var checkpoint: SavedCheckpoint
    /// In order.
    package var deltas: [SavedDelta]

    package var sequence: Int { deltas.last?.sequence ?? checkpoint.sequence }
    /// SHA-256 of the text, as far as a delta may refer to it.
    package var hash: [UInt8] { deltas.last?.hash ?? checkpoint.text.hash }
    package var resourceCount: Int { deltas.last?.resourceCount ?? checkpoint.resourceCount }

    /// The objects that hold it.
    package var objects: [String] { ([checkpoint.bytes] + deltas.map(\.bytes)).compactMap(\.object) }
}

/// SQL for `update_checkpoints` and `update_deltas`.
package struct CheckpointStore: Sendable {
    package init() {}

    /// The last save of an update; nil before the first.
    package func find(of update: UpdateID, in tx: Transaction) throws -> SavedText? {
        let checkpoint = try tx.first(
            """
            SELECT sequence, prefix, range_start, range_end, hash, body, object, resource_count
            FROM update_checkpoints WHERE update_id = \(update)
            """,
            SavedCheckpoint.init(row:)
        )
        guard let checkpoint else { return nil }
        let deltas = try tx.all(
            """
            SELECT sequence, hash, body, object, resource_count FROM update_deltas
            WHERE update_id = \(update) ORDER BY sequence
            """,
            SavedDelta.init(row:)
        )
        return SavedText(checkpoint: checkpoint, deltas: deltas)
    }

    /// Puts a whole state in the place of what was saved before.
    package func replace(with saved: SavedCheckpoint, of update: UpdateID, at now: Timestamp, in tx: Transaction) throws
    {
        try tx.execute("DELETE FROM update_deltas WHERE update_id = \(update)")
        try tx.upsert(
            into: "update_checkpoints",
            key: ["update_id": update],
            set: [
                "sequence": saved.sequence, "prefix": saved.text.frame.prefix,
                "range_start": saved.text.frame.range.lowerBound, "range_end": saved.text.frame.range.upperBound,
                "hash": saved.text.hash, "body": saved.bytes.body, "object": saved.bytes.object,
                "resource_count": saved.resourceCount, "saved_at": now,
            ]
        )
    }

    package func insert(_ delta: SavedDelta, of update: UpdateID, at now: Timestamp, in tx: Transaction) throws {
        try tx.insert(
            into: "update_deltas",
            [
                "update_id": update, "sequence": delta.sequence, "hash": delta.hash, "body": delta.bytes.body,
                "object": delta.bytes.object, "resource_count": delta.resourceCount, "saved_at": now,
            ]
        )
    }

    package func delete(of update: UpdateID, in tx: Transaction) throws {
        try tx.execute("DELETE FROM update_deltas WHERE update_id = \(update)")
        try tx.execute("DELETE FROM update_checkpoints WHERE update_id = \(update)")
    }
}

extension SavedCheckpoint {
    init(row: Row) throws {
        let frame = CheckpointFrame(prefix: try row.bytes(1), range: try row.int(2)..<row.int(3))
        self.init(
            sequence: try row.int(0),
            text: FramedText(frame: frame, hash: try row.bytes(4)),
            bytes: try StoredBytes(body: row.optional(5, Row.bytes), object: row.optional(6, Row.text)),
            resourceCount: try row.int(7)
        )
    }
}

extension SavedDelta {
    init(row: Row) throws {
        self.init(
            sequence: try row.int(0),
            hash: try row.bytes(1),
            bytes: try StoredBytes(body: row.optional(2, Row.bytes), object: row.optional(3, Row.text)),
            resourceCount: try row.int(4)
        )
    }
}
