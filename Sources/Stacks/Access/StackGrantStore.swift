package import Kernel
package import Persistence

/// What one member of an organization may do with a stack, and where that comes from.
package struct MemberAccess: Sendable, Equatable {
    package var person: Person
    /// The role in the organization, in the contract's words.
    package var role: String
    /// What the organization gives to every member.
    package var organizationDefault: Int
    /// The direct grant; 0 for none.
    package var grant: Int
}

/// SQL for `stack_grants` as people see them.
package struct StackGrantStore: Sendable {
    /// More than a list shows.
    private static let most = 1000

    package init() {}

    /// Everybody with a direct grant, by login.
    package func grants(on stack: StackID, in tx: Transaction) throws -> [(person: Person, permission: Int)] {
        try tx.all(
            """
            SELECT u.id, u.name, u.login, u.avatar_url, g.permission FROM stack_grants g
            JOIN users u ON u.id = g.user_id WHERE g.stack_id = \(stack) ORDER BY u.login LIMIT \(Self.most)
            """
        ) { row in (try Person(row: row), try row.int(4)) }
    }

    /// Who made a stack; nil when the account is gone.
    package func creator(of stack: StackID, in tx: Transaction) throws -> Person? {
        try tx.first(
            """
            SELECT u.id, u.name, u.login, u.avatar_url FROM stacks s JOIN users u ON u.id = s.created_by
            WHERE s.id = \(stack)
            """,
            Person.init(row:)
        )
    }

    /// Nil for a login that no member of the stack's organization has.
    package func access(of login: String, to stack: Stack, in tx: Transaction) throws -> MemberAccess? {
        try tx.first(
            """
            SELECT u.id, u.name, u.login, u.avatar_url, m.role, o.default_stack_permission, g.permission
            FROM users u JOIN memberships m ON m.user_id = u.id
            JOIN organizations o ON o.id = m.organization_id
            LEFT JOIN stack_grants g ON g.user_id = u.id AND g.stack_id = \(stack.id)
            WHERE u.login = \(login) AND m.organization_id = \(stack.organization)
            """
        ) { row in
            MemberAccess(
                person: try Person(row: row),
                role: try row.text(4),
                organizationDefault: try row.int(5),
                grant: try row.optional(6, Row.int) ?? 0
            )
        }
    }

    /// Whether somebody may change a stack: by role, by what every member may, or by a direct grant.
    package func mayWrite(_ viewer: Viewer, to stack: Stack, in tx: Transaction) throws -> Bool {
        try tx.first(
            """
            SELECT 1 FROM stacks s JOIN organizations o ON o.id = s.organization_id \(viewer.joins)
            WHERE s.id = \(stack.id) AND \(viewer.canWrite)
            """
        ) { _ in true } ?? false
    }

    /// Takes a direct grant away.
    ///
    /// - Returns: false when there was none.
    package func delete(login: String, on stack: StackID, in tx: Transaction) throws -> Bool {
        try tx.execute(
            """
            DELETE FROM stack_grants WHERE stack_id = \(stack)
            AND user_id IN (SELECT u.id FROM users u WHERE u.login = \(login))
            """
        ) > 0
    }
}
