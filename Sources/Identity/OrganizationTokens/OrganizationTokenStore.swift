package import Kernel
package import Persistence

/// A token of an organization with the login of who made it.
package struct OrganizationToken: Sendable, Equatable {
    package var token: AccessToken
    package var createdBy: String
}

/// SQL for the tokens of organizations in `access_tokens`, and for their names.
package struct OrganizationTokenStore: Sendable {
    private static let columns: SQL = """
        t.id, t.kind, t.user_id, t.name, t.description, t.is_admin, t.created_at, t.last_used_at, t.expires_at, u.login
        """

    package init() {}

    /// Takes a name for ever.
    ///
    /// - Throws: `DatabaseError.duplicate` when a token of the organization has it, or had it.
    package func insertName(
        _ name: OrganizationTokenName,
        of token: AccessToken,
        in organization: OrganizationID,
        tx: Transaction
    ) throws {
        try tx.insert(
            into: "machine_token_names",
            [
                "organization_id": organization, "name": name.rawValue, "token_id": token.id,
                "created_at": token.createdAt,
            ]
        )
    }

    package func insert(
        _ token: AccessToken,
        hash: [UInt8],
        in organization: OrganizationID,
        tx: Transaction
    ) throws {
        try tx.insert(
            into: "access_tokens",
            [
                "id": token.id, "kind": token.kind.rawValue, "hash": hash, "user_id": token.user,
                "organization_id": organization, "name": token.name, "description": token.description,
                "is_admin": token.isAdmin, "created_at": token.createdAt, "last_used_at": token.lastUsedAt,
                "expires_at": token.expiresAt,
            ]
        )
    }

    package func find(
        _ id: AccessTokenID,
        in organization: OrganizationID,
        tx: Transaction
    ) throws -> OrganizationToken? {
        try tx.first(
            """
            SELECT \(Self.columns) FROM access_tokens t JOIN users u ON u.id = t.user_id
            WHERE t.id = \(id) AND t.organization_id = \(organization)
            AND t.kind = \(AccessToken.Kind.organization.rawValue)
            """,
            OrganizationToken.init(row:)
        )
    }

    package func delete(_ id: AccessTokenID, in tx: Transaction) throws {
        try tx.execute("DELETE FROM access_tokens WHERE id = \(id)")
    }

    /// One more than `limit` tokens of an organization, after the last one of the previous page.
    package func page(
        of organization: OrganizationID,
        filter: TokenFilter,
        search: String?,
        now: Timestamp,
        order: OrganizationTokenOrder,
        page: PageRequest<OrganizationTokenOrder.Position>,
        in tx: Transaction
    ) throws -> [OrganizationToken] {
        var conditions: [SQL] = [
            "t.organization_id = \(organization)", "t.kind = \(AccessToken.Kind.organization.rawValue)",
        ]
        switch filter {
        case .active: conditions.append("(t.expires_at IS NULL OR t.expires_at > \(now))")
        case .expired: conditions.append("t.expires_at <= \(now)")
        case .all: break
        }
        if let search {
            conditions.append("(\(tx.contains("t.name", search)) OR \(tx.contains("t.description", search)))")
        }
        if let last = page.after { conditions.append(order.following(last)) }
        return try tx.all(
            """
            SELECT \(Self.columns) FROM access_tokens t JOIN users u ON u.id = t.user_id
            WHERE \(SQL.joined(conditions, by: " AND ")) \(order.clause) LIMIT \(page.limit + 1)
            """,
            OrganizationToken.init(row:)
        )
    }
}

extension OrganizationToken {
    init(row: Row) throws {
        self.init(token: try AccessToken(row: row), createdBy: try row.text(9))
    }
}
