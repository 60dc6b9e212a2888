import Persistence

extension Migration {
    /// How far each chain of the audit log was copied to a place outside of this database.
    ///
    /// `destination` is the digest of what names that place, `hash` that of the last event which is there.
    static let auditCopies = Migration(
        10,
        "audit_copies",
        [
            .createTable(
                Table(
                    "audit_copies",
                    columns: [
                        Column("destination", .ascii(64)),
                        Column("scope", .ascii(36)),
                        Column("sequence", .integer),
                        Column("hash", .binary(32)),
                        Column("copied_at", .timestamp),
                    ],
                    primaryKey: ["destination", "scope"],
                    isClustered: true
                )
            )
        ]
    )
}
