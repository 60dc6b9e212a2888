package import Kernel
package import Persistence

/// Creates accounts and organizations.
package struct AccountService: Sendable {
    private let effects: Effects
    private let accounts = AccountStore()

    package init(effects: Effects) {
        self.effects = effects
    }

    /// Creates a user together with the personal organization of the same name, which clients that know no default
    /// organization use as owner (`spec/cli-observed.md` 28).
    ///
    /// - Throws: `.conflict` when a login or an organization has the name already.
    package func createUser(
        login: OrganizationName,
        isSiteAdmin: Bool,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> User {
        try requireFree(login, in: tx)
        let user = User(
            id: effects.id(),
            login: login,
            name: login.rawValue,
            isSiteAdmin: isSiteAdmin,
            createdAt: now
        )
        let personal: OrganizationID = effects.id()
        try accounts.insert(user, in: tx)
        try accounts.insertOrganization(personal, name: login, kind: "single-user", at: now, in: tx)
        try accounts.insertMembership(of: user.id, in: personal, role: .admin, at: now, tx: tx)
        return user
    }

    /// Creates an organization with its first administrator.
    ///
    /// - Throws: `.conflict` when a login or an organization has the name already.
    package func createOrganization(
        _ name: OrganizationName,
        administrator: UserID,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> OrganizationID {
        try requireFree(name, in: tx)
        let id: OrganizationID = effects.id()
        try accounts.insertOrganization(id, name: name, kind: "pulumi", at: now, in: tx)
        try accounts.insertMembership(of: administrator, in: id, role: .admin, at: now, tx: tx)
        return id
    }

    private func requireFree(_ name: OrganizationName, in tx: Transaction) throws {
        guard !OrganizationName.reserved.contains(name.rawValue.lowercased()) else {
            throw ServiceError.nameIsReserved(name)
        }
        guard try !accounts.isTaken(name, in: tx) else { throw ServiceError.nameIsTaken(name) }
    }
}
