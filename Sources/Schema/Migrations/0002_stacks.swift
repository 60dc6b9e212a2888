import Persistence

extension Migration {
    /// Stacks, their tags, direct grants on them, and the names they had.
    ///
    /// `live` is 1 for a stack that exists and NULL for a deleted one, so that the unique key holds among the living
    /// only: a name is free again at once, and a deleted stack can be brought back.
    /// `generation` is raised whenever an update takes the stack; every write of an update checks it
    /// (`design/reliability-security.md` D4).
    static let stacks = Migration(
        2,
        "stacks",
        [
            .createTable(
                Table(
                    "stacks",
                    columns: [
                        Column("id", .id),
                        Column("organization_id", .id),
                        Column("project", .name(100)),
                        Column("name", .name(100)),
                        Column("live", .integer, nullable: true),
                        Column("version", .integer),
                        Column("generation", .integer),
                        Column("active_update_id", .id, nullable: true),
                        Column("running_update_id", .id, nullable: true),
                        Column("resource_count", .integer, nullable: true),
                        Column("last_update_at", .timestamp, nullable: true),
                        Column("created_by", .id, nullable: true),
                        Column("owner_id", .id, nullable: true),
                        Column("created_at", .timestamp),
                        Column("deleted_at", .timestamp, nullable: true),
                        Column("notify_update_success", .bool),
                        Column("notify_update_failure", .bool),
                        Column("config_environment", .name(255), nullable: true),
                        Column("config_secrets_provider", .text, nullable: true),
                        Column("config_encrypted_key", .text, nullable: true),
                        Column("config_encryption_salt", .text, nullable: true),
                    ],
                    primaryKey: ["id"],
                    uniqueKeys: [["organization_id", "project", "name", "live"]],
                    indexes: [["organization_id", "deleted_at"]],
                    foreignKeys: [ForeignKey(["organization_id"], references: "organizations", ["id"])]
                )
            ),
            .createTable(
                Table(
                    "stack_tags",
                    columns: [
                        Column("stack_id", .id),
                        Column("name", .name(40)),
                        Column("value", .name(256)),
                    ],
                    primaryKey: ["stack_id", "name"],
                    indexes: [["name", "value"]],
                    foreignKeys: [ForeignKey(["stack_id"], references: "stacks", ["id"])],
                    isClustered: true
                )
            ),
            .createTable(
                Table(
                    "stack_grants",
                    columns: [
                        Column("stack_id", .id),
                        Column("user_id", .id),
                        Column("permission", .integer),
                        Column("created_at", .timestamp),
                    ],
                    primaryKey: ["stack_id", "user_id"],
                    indexes: [["user_id"]],
                    foreignKeys: [
                        ForeignKey(["stack_id"], references: "stacks", ["id"]),
                        ForeignKey(["user_id"], references: "users", ["id"]),
                    ],
                    isClustered: true
                )
            ),
            .createTable(
                Table(
                    "stack_former_names",
                    columns: [
                        Column("organization_id", .id),
                        Column("project", .name(100)),
                        Column("name", .name(100)),
                        Column("stack_id", .id),
                        Column("renamed_at", .timestamp),
                    ],
                    primaryKey: ["organization_id", "project", "name"],
                    indexes: [["stack_id"]],
                    foreignKeys: [ForeignKey(["stack_id"], references: "stacks", ["id"])],
                    isClustered: true
                )
            ),
        ]
    )
}
