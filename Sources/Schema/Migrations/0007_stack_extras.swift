import Persistence

extension Migration {
    /// What a stack has beside its state: notes by kind, the stacks it reads, and the projects that have a key.
    ///
    /// `stack_references` is written together with each version of a state, so that "who reads this stack" needs no look
    /// into the states of others. It holds the names as the state means them: a stack that is read need not exist.
    /// `projects` has a row for a project that something of its own belongs to, as for now a data key: a project exists as
    /// long as it has a stack, its row gives it an id that stays.
    static let stackExtras = Migration(
        7,
        "stack_extras",
        [
            .createTable(
                Table(
                    "stack_annotations",
                    columns: [
                        Column("stack_id", .id),
                        Column("kind", .name(100)),
                        Column("source", .name(100)),
                        Column("version", .integer),
                        Column("body", .text),
                        Column("updated_at", .timestamp),
                    ],
                    primaryKey: ["stack_id", "kind", "source"],
                    foreignKeys: [ForeignKey(["stack_id"], references: "stacks", ["id"])]
                )
            ),
            .createTable(
                Table(
                    "stack_references",
                    columns: [
                        Column("stack_id", .id),
                        Column("organization", .name(40)),
                        Column("project", .name(100)),
                        Column("name", .name(100)),
                    ],
                    primaryKey: ["stack_id", "organization", "project", "name"],
                    indexes: [["organization", "project", "name"]],
                    foreignKeys: [ForeignKey(["stack_id"], references: "stacks", ["id"])],
                    isClustered: true
                )
            ),
            .createTable(
                Table(
                    "projects",
                    columns: [
                        Column("id", .id),
                        Column("organization_id", .id),
                        Column("name", .name(100)),
                        Column("created_at", .timestamp),
                    ],
                    primaryKey: ["id"],
                    uniqueKeys: [["organization_id", "name"]],
                    foreignKeys: [ForeignKey(["organization_id"], references: "organizations", ["id"])]
                )
            ),
        ]
    )
}
