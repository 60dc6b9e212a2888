package import Kernel
package import Persistence

/// Which tokens a list shows.
package enum TokenFilter: String, Sendable, CaseIterable {
    case active
    case expired
    case all
}

/// SQL for the tokens of people in `access_tokens`.
package struct PersonalTokenStore: Sendable {
    private static let columns: SQL =
        "id, kind, user_id, name, description, is_admin, created_at, last_used_at, expires_at"

    package init() {}

    package func insert(_ token: AccessToken, hash: [UInt8], in tx: Transaction) throws {
        try AccessTokenRows.insert(token, hash: hash, tx: tx)
    }

    package func find(_ id: AccessTokenID, of user: UserID, in tx: Transaction) throws -> AccessToken? {
        try tx.first(
            """
            SELECT \(Self.columns) FROM access_tokens
            WHERE id = \(id) AND user_id = \(user) AND kind = \(AccessToken.Kind.personal.rawValue)
            """,
            AccessToken.init(row:)
        )
    }

    package func delete(_ id: AccessTokenID, in tx: Transaction) throws {
        try AccessTokenRows.delete(id, in: tx)
    }

    /// One more than `limit` tokens of a person, newest first, after the last one of the previous page.
    package func page(
        of user: UserID,
        filter: TokenFilter,
        search: String?,
        now: Timestamp,
        after last: AccessTokenID?,
        limit: Int,
        in tx: Transaction
    ) throws -> [AccessToken] {
        var conditions: [SQL] = ["user_id = \(user)", "kind = \(AccessToken.Kind.personal.rawValue)"]
        switch filter {
        case .active: conditions.append("(expires_at IS NULL OR expires_at > \(now))")
        case .expired: conditions.append("expires_at <= \(now)")
        case .all: break
        }
        if let search { conditions.append(tx.contains("description", search)) }
        if let last { conditions.append("id < \(last)") }
        return try tx.all(
            """
            SELECT \(Self.columns) FROM access_tokens WHERE \(SQL.joined(conditions, by: " AND "))
            ORDER BY id DESC LIMIT \(limit + 1)
            """,
            AccessToken.init(row:)
        )
    }

    /// Notes when tokens were last used; never moves a time back.
    package func touch(_ uses: [AccessTokenID: Timestamp], in tx: Transaction) throws {
        for (id, at) in uses {
            try tx.execute(
                """
                UPDATE access_tokens SET last_used_at = \(at)
                WHERE id = \(id) AND (last_used_at IS NULL OR last_used_at < \(at))
                """
            )
        }
    }
}

extension AccessToken {
    init(row: Row) throws {
        self.init(
            id: try row.id(0),
            kind: Kind(rawValue: try row.text(1)) ?? .personal,
            user: try row.id(2),
            name: try row.text(3),
            description: try row.text(4),
            isAdmin: try row.bool(5),
            createdAt: try row.timestamp(6),
            lastUsedAt: try row.optional(7, Row.timestamp),
            expiresAt: try row.optional(8, Row.timestamp)
        )
    }
}
