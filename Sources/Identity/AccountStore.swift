package import Kernel
package import Persistence

/// SQL for `users`, `organizations` and `memberships`.
package struct AccountStore: Sendable {
    private static let userColumns: SQL =
        "id, login, name, email, avatar_url, is_site_admin, default_organization_id, created_at"

    package init() {}

    package func countUsers(in tx: Transaction) throws -> Int {
        try tx.count("SELECT COUNT(*) FROM users")
    }

    package func find(_ id: UserID, in tx: Transaction) throws -> User? {
        try tx.first("SELECT \(Self.userColumns) FROM users WHERE id = \(id)", User.init(row:))
    }

    package func find(login: OrganizationName, in tx: Transaction) throws -> User? {
        try tx.first("SELECT \(Self.userColumns) FROM users WHERE login = \(login.rawValue)", User.init(row:))
    }

    package func findOrganization(_ name: OrganizationName, in tx: Transaction) throws -> OrganizationID? {
        try tx.first("SELECT id FROM organizations WHERE name = \(name.rawValue)") { try $0.id(0) }
    }

    package func organization(_ id: OrganizationID, in tx: Transaction) throws -> Organization? {
        try tx.first("SELECT id, name, display_name FROM organizations WHERE id = \(id)") { row in
            Organization(
                id: try row.id(0),
                name: OrganizationName(unchecked: try row.text(1)),
                displayName: try row.text(2)
            )
        }
    }

    /// Whether a login or an organization takes this name, in any case.
    package func isTaken(_ name: OrganizationName, in tx: Transaction) throws -> Bool {
        try tx.count("SELECT COUNT(*) FROM organizations WHERE name_key = \(name.rawValue.lowercased())") > 0
    }

    /// The organizations a user belongs to: the personal one first, then by name.
    package func memberships(of user: UserID, in tx: Transaction) throws -> [Membership] {
        try tx.all(
            """
            SELECT o.id, o.name, o.display_name, m.role FROM memberships m
            JOIN organizations o ON o.id = m.organization_id WHERE m.user_id = \(user)
            ORDER BY CASE WHEN o.kind = 'single-user' THEN 0 ELSE 1 END, o.name
            """
        ) { row in
            Membership(
                organization: try row.id(0),
                name: OrganizationName(unchecked: try row.text(1)),
                displayName: try row.text(2),
                role: OrganizationRole(rawValue: try row.text(3)) ?? .member
            )
        }
    }

    package func insert(_ user: User, in tx: Transaction) throws {
        try tx.insert(
            into: "users",
            [
                "id": user.id, "login": user.login.rawValue, "name": user.name, "email": user.email,
                "avatar_url": user.avatarURL, "is_site_admin": user.isSiteAdmin,
                "default_organization_id": user.defaultOrganization, "created_at": user.createdAt,
            ]
        )
    }

    package func insertOrganization(
        _ id: OrganizationID,
        name: OrganizationName,
        kind: String,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        try tx.insert(
            into: "organizations",
            [
                "id": id, "name": name.rawValue, "name_key": name.rawValue.lowercased(),
                "display_name": name.rawValue, "kind": kind,
                "default_stack_permission": StackAccessLevel.write.rawValue,
                "created_at": now,
            ]
        )
    }

    package func insertMembership(
        of user: UserID,
        in organization: OrganizationID,
        role: OrganizationRole,
        at now: Timestamp,
        tx: Transaction
    ) throws {
        try tx.insert(
            into: "memberships",
            ["organization_id": organization, "user_id": user, "role": role.rawValue, "created_at": now]
        )
    }

    package func setDefaultOrganization(_ id: OrganizationID?, of user: UserID, in tx: Transaction) throws {
        try tx.execute("UPDATE users SET default_organization_id = \(id.sqlValue) WHERE id = \(user)")
    }
}

extension User {
    init(row: Row) throws {
        self.init(
            id: try row.id(0),
            login: OrganizationName(unchecked: try row.text(1)),
            name: try row.text(2),
            email: try row.text(3),
            avatarURL: try row.text(4),
            isSiteAdmin: try row.bool(5),
            defaultOrganization: try row.optional(6) { row in { try row.id($0) } },
            createdAt: try row.timestamp(7)
        )
    }
}
