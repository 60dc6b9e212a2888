import Persistence

extension Migration {
    /// Domain events that wait for their subscribers, and durable jobs.
    static let jobs = Migration(
        4,
        "jobs",
        [
            .createTable(
                Table(
                    "domain_events",
                    columns: [
                        Column("id", .id),
                        Column("kind", .ascii(80)),
                        Column("organization_id", .id, nullable: true),
                        Column("payload", .text),
                        Column("created_at", .timestamp),
                    ],
                    primaryKey: ["id"]
                )
            ),
            .createTable(
                Table(
                    "jobs",
                    columns: [
                        Column("id", .id),
                        Column("kind", .ascii(80)),
                        // One job for each key: a schedule's name, or what makes a job pointless twice.
                        Column("unique_key", .ascii(160), nullable: true),
                        Column("payload", .text),
                        Column("due_at", .timestamp),
                        Column("attempt", .integer),
                        Column("locked_by", .id, nullable: true),
                        Column("locked_until", .timestamp, nullable: true),
                        Column("last_error", .text, nullable: true),
                        Column("failed_at", .timestamp, nullable: true),
                        Column("created_at", .timestamp),
                    ],
                    primaryKey: ["id"],
                    uniqueKeys: [["unique_key"]],
                    indexes: [["due_at"]]
                )
            ),
        ]
    )
}
