import Persistence

extension Migration {
    /// Updates of stacks, the state they leave, and what they write while they run.
    ///
    /// Small bytes are kept in the row (`body`), larger ones in the object store (`object`): one of the two is set, or
    /// none where there are no bytes. Rows name objects only after these are durable (`design/reliability-security.md`
    /// D3). A version's bytes are its pack: the chunks that no version before has; its manifest tells where all others
    /// are.
    static let updates = Migration(
        6,
        "updates",
        [
            .createTable(updatesTable),
            .createTable(
                Table(
                    "state_versions",
                    columns: [
                        Column("stack_id", .id),
                        Column("version", .integer),
                        Column("update_id", .id, nullable: true),
                        Column("size", .integer),
                        Column("manifest", .bytes),
                        Column("body", .bytes, nullable: true),
                        Column("object", .ascii(160), nullable: true),
                        Column("resource_count", .integer),
                        Column("created_at", .timestamp),
                    ],
                    primaryKey: ["stack_id", "version"],
                    foreignKeys: [ForeignKey(["stack_id"], references: "stacks", ["id"])]
                )
            ),
            .createTable(
                Table(
                    "update_checkpoints",
                    columns: [
                        Column("update_id", .id),
                        Column("sequence", .integer),
                        Column("prefix", .bytes),
                        Column("range_start", .integer),
                        Column("range_end", .integer),
                        Column("hash", .binary(32)),
                        Column("body", .bytes, nullable: true),
                        Column("object", .ascii(160), nullable: true),
                        Column("resource_count", .integer),
                        Column("saved_at", .timestamp),
                    ],
                    primaryKey: ["update_id"],
                    foreignKeys: [ForeignKey(["update_id"], references: "updates", ["id"])]
                )
            ),
            .createTable(
                Table(
                    "update_deltas",
                    columns: [
                        Column("update_id", .id),
                        Column("sequence", .integer),
                        Column("hash", .binary(32)),
                        Column("body", .bytes, nullable: true),
                        Column("object", .ascii(160), nullable: true),
                        Column("resource_count", .integer),
                        Column("saved_at", .timestamp),
                    ],
                    primaryKey: ["update_id", "sequence"],
                    foreignKeys: [ForeignKey(["update_id"], references: "updates", ["id"])]
                )
            ),
            .createTable(segmentTable("journal_segments")),
            .createTable(segmentTable("event_segments")),
            .createTable(
                Table(
                    "data_keys",
                    columns: [
                        Column("id", .id),
                        Column("owner_id", .id),
                        Column("master_version", .ascii(120)),
                        Column("wrapped", .bytes),
                        Column("created_at", .timestamp),
                    ],
                    primaryKey: ["id"],
                    uniqueKeys: [["owner_id"]]
                )
            ),
        ]
    )

    private static let updatesTable = Table(
        "updates",
        columns: [
            Column("id", .id),
            Column("stack_id", .id),
            Column("kind", .ascii(20)),
            Column("is_preview", .bool),
            Column("status", .ascii(20)),
            // Why it ended, where the status does not say it: `expired`.
            Column("end_reason", .ascii(20), nullable: true),
            // The number of the state it makes; for a preview the number it looks at.
            Column("version", .integer),
            Column("generation", .integer),
            Column("journal_version", .integer),
            Column("lease_hash", .binary(32), nullable: true),
            Column("lease_expires_at", .timestamp, nullable: true),
            Column("requested_by", .id, nullable: true),
            Column("requested_login", .name(255)),
            Column("client_version", .ascii(80), nullable: true),
            Column("program", .text),
            Column("config", .text),
            Column("message", .text),
            Column("environment", .text),
            Column("resource_changes", .text, nullable: true),
            Column("resource_count", .integer, nullable: true),
            Column("created_at", .timestamp),
            Column("started_at", .timestamp, nullable: true),
            Column("ended_at", .timestamp, nullable: true),
        ],
        primaryKey: ["id"],
        indexes: [["stack_id", "version"], ["status", "lease_expires_at"]],
        foreignKeys: [ForeignKey(["stack_id"], references: "stacks", ["id"])]
    )

    /// One row for each batch, with the bytes as they came; the digest of the batch makes a repeated one harmless.
    private static func segmentTable(_ name: String) -> Table {
        Table(
            name,
            columns: [
                Column("update_id", .id),
                Column("digest", .binary(32)),
                Column("first_sequence", .integer),
                Column("last_sequence", .integer),
                Column("entries", .integer),
                Column("body", .bytes, nullable: true),
                Column("object", .ascii(160), nullable: true),
                Column("received_at", .timestamp),
            ],
            primaryKey: ["update_id", "digest"],
            // By the last number, as batches come in order: what overlaps a new one is at the end.
            indexes: [["update_id", "last_sequence"]],
            foreignKeys: [ForeignKey(["update_id"], references: "updates", ["id"])]
        )
    }
}
