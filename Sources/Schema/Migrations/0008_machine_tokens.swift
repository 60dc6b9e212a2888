import Persistence

extension Migration {
    /// The names that tokens of organizations and teams ever had.
    ///
    /// Clients and audit logs know such a token by its name, so no second one of an organization gets it, not even when
    /// the first is deleted: a row here outlives the token it was written for.
    static let machineTokens = Migration(
        8,
        "machine_tokens",
        [
            .createTable(
                Table(
                    "machine_token_names",
                    columns: [
                        Column("organization_id", .id),
                        Column("name", .name(40)),
                        Column("token_id", .id),
                        Column("created_at", .timestamp),
                    ],
                    primaryKey: ["organization_id", "name"],
                    foreignKeys: [ForeignKey(["organization_id"], references: "organizations", ["id"])],
                    isClustered: true
                )
            )
        ]
    )
}
