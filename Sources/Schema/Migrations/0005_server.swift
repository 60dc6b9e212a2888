import Persistence

extension Migration {
    /// What the server remembers about itself: its installation, the check value of its key, its heartbeat.
    static let server = Migration(
        5,
        "server",
        [
            .createTable(
                Table(
                    "server_values",
                    columns: [
                        Column("name", .ascii(80)),
                        Column("value", .text),
                        Column("updated_at", .timestamp),
                    ],
                    primaryKey: ["name"],
                    isClustered: true
                )
            )
        ]
    )
}
