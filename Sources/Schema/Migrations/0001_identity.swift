import Persistence

extension Migration {
    /// Accounts, organizations, who belongs to which, and access tokens.
    ///
    /// `name_key` is the name in lower case: names are kept and compared as written, but two that differ only in case
    /// would be mistaken for each other. A user's login and an organization's name share one name space, because every
    /// login is also the name of a personal organization.
    static let identity = Migration(
        1,
        "identity",
        [
            .createTable(
                Table(
                    "users",
                    columns: [
                        Column("id", .id),
                        Column("login", .name(40)),
                        Column("name", .name(255)),
                        Column("email", .name(320)),
                        Column("avatar_url", .text),
                        Column("is_site_admin", .bool),
                        Column("default_organization_id", .id, nullable: true),
                        Column("created_at", .timestamp),
                    ],
                    primaryKey: ["id"],
                    uniqueKeys: [["login"]]
                )
            ),
            .createTable(
                Table(
                    "organizations",
                    columns: [
                        Column("id", .id),
                        Column("name", .name(40)),
                        Column("name_key", .name(40)),
                        Column("display_name", .name(255)),
                        Column("kind", .ascii(20)),
                        Column("default_stack_permission", .integer),
                        Column("created_at", .timestamp),
                    ],
                    primaryKey: ["id"],
                    uniqueKeys: [["name"], ["name_key"]]
                )
            ),
            .createTable(
                Table(
                    "memberships",
                    columns: [
                        Column("organization_id", .id),
                        Column("user_id", .id),
                        Column("role", .ascii(20)),
                        Column("created_at", .timestamp),
                    ],
                    primaryKey: ["organization_id", "user_id"],
                    indexes: [["user_id"]],
                    foreignKeys: [
                        ForeignKey(["organization_id"], references: "organizations", ["id"]),
                        ForeignKey(["user_id"], references: "users", ["id"]),
                    ],
                    isClustered: true
                )
            ),
            .createTable(
                Table(
                    "access_tokens",
                    columns: [
                        Column("id", .id),
                        Column("kind", .ascii(20)),
                        Column("hash", .binary(32)),
                        Column("user_id", .id),
                        Column("organization_id", .id, nullable: true),
                        Column("team_id", .id, nullable: true),
                        Column("name", .name(255)),
                        Column("description", .text),
                        Column("is_admin", .bool),
                        Column("created_at", .timestamp),
                        Column("last_used_at", .timestamp, nullable: true),
                        Column("expires_at", .timestamp, nullable: true),
                    ],
                    primaryKey: ["id"],
                    uniqueKeys: [["hash"]],
                    indexes: [["user_id", "id"], ["organization_id", "id"]],
                    foreignKeys: [ForeignKey(["user_id"], references: "users", ["id"])]
                )
            ),
        ]
    )
}
