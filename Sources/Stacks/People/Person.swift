package import Kernel
package import Persistence

/// Somebody as lists and histories name them.
package struct Person: Sendable, Equatable {
    package var id: UserID?
    package var name: String
    package var login: String
    package var avatarURL: String

    package init(id: UserID? = nil, name: String, login: String, avatarURL: String = "") {
        self.id = id
        self.name = name
        self.login = login
        self.avatarURL = avatarURL
    }

    /// Nobody: the account is gone, or the server itself acted.
    package static let nobody = Person(name: "", login: "")
}

/// SQL that reads `users` and `memberships`, for the names that answers about stacks show.
package struct PersonStore: Sendable {
    private static let columns: SQL = "u.id, u.name, u.login, u.avatar_url"

    package init() {}

    package func find(_ user: UserID, in tx: Transaction) throws -> Person? {
        try tx.first("SELECT \(Self.columns) FROM users u WHERE u.id = \(user)", Person.init(row:))
    }

    /// A member of the organization by their login.
    package func findMember(_ login: String, of organization: OrganizationID, in tx: Transaction) throws -> Person? {
        try tx.first(
            """
            SELECT \(Self.columns) FROM users u JOIN memberships m ON m.user_id = u.id
            WHERE u.login = \(login) AND m.organization_id = \(organization)
            """,
            Person.init(row:)
        )
    }
}

extension Person {
    /// - Parameter row: id, name, login and avatar first.
    init(row: Row) throws {
        self.init(
            id: try row.id(0),
            name: try row.text(1),
            login: try row.text(2),
            avatarURL: try row.text(3)
        )
    }
}
