import Persistence

extension Migration {
    /// Issuers of identities that organizations trust, what they trust them with, and the tokens given in exchange.
    ///
    /// `url` is where the issuer's documents are, `issuer` what it calls itself. `jwks` holds keys that were given instead of
    /// being fetched. An exchanged token names its issuer, so that it ends together with it.
    static let oidc = Migration(
        9,
        "oidc",
        [
            .createTable(
                Table(
                    "oidc_issuers",
                    columns: [
                        Column("id", .id),
                        Column("organization_id", .id),
                        Column("name", .name(100)),
                        Column("url", .name(500)),
                        Column("issuer", .ascii(500)),
                        Column("thumbprints", .text),
                        Column("jwks", .text, nullable: true),
                        Column("max_expiration", .integer),
                        Column("created_by", .id),
                        Column("created_at", .timestamp),
                        Column("modified_at", .timestamp),
                        Column("last_used_at", .timestamp, nullable: true),
                    ],
                    primaryKey: ["id"],
                    uniqueKeys: [["organization_id", "issuer"]],
                    indexes: [["created_by"]],
                    foreignKeys: [
                        ForeignKey(["organization_id"], references: "organizations", ["id"]),
                        ForeignKey(["created_by"], references: "users", ["id"]),
                    ]
                )
            ),
            .createTable(
                Table(
                    "authorization_policies",
                    columns: [
                        Column("id", .id),
                        Column("issuer_id", .id),
                        Column("organization_id", .id),
                        Column("version", .integer),
                        Column("policies", .text),
                        Column("created_at", .timestamp),
                        Column("modified_at", .timestamp),
                    ],
                    primaryKey: ["id"],
                    uniqueKeys: [["issuer_id"]],
                    foreignKeys: [ForeignKey(["issuer_id"], references: "oidc_issuers", ["id"])]
                )
            ),
            .addColumn(Column("issuer_id", .id, nullable: true), to: "access_tokens"),
            .createIndex(["issuer_id", "expires_at"], on: "access_tokens"),
        ]
    )
}
