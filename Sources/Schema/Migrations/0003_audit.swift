import Persistence

extension Migration {
    /// The audit log, one hash chain per organization and one for the server.
    static let audit = Migration(
        3,
        "audit",
        [
            .createTable(
                Table(
                    "audit_events",
                    columns: [
                        Column("id", .id),
                        Column("scope", .ascii(36)),
                        Column("sequence", .integer),
                        Column("action_slug", .ascii(80)),
                        Column("actor_kind", .ascii(20)),
                        Column("actor_user_id", .id, nullable: true),
                        Column("actor_login", .name(255)),
                        Column("actor_token_id", .id, nullable: true),
                        Column("source_address", .ascii(64), nullable: true),
                        Column("subject", .text),
                        Column("details", .text),
                        Column("created_at", .timestamp),
                        Column("hash", .binary(32)),
                    ],
                    primaryKey: ["id"],
                    uniqueKeys: [["scope", "sequence"]],
                    indexes: [["scope", "created_at"]]
                )
            ),
            .createTable(
                Table(
                    "audit_chains",
                    columns: [
                        Column("scope", .ascii(36)),
                        Column("sequence", .integer),
                        Column("hash", .binary(32)),
                    ],
                    primaryKey: ["scope"],
                    isClustered: true
                )
            ),
        ]
    )
}
