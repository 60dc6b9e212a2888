import Events
package import Identity
package import Kernel
package import Persistence

/// What the very first start makes: an organization, its administrator, and the administrator's token.
package struct Installation: Sendable {
    package enum Outcome: Sendable {
        /// There are accounts already.
        case existing
        /// The token is to be shown, once; nil when the operator set it.
        case made(token: TokenSecret?)
    }

    private let database: Database
    private let effects: Effects
    private let accounts: AccountService
    private let store = AccountStore()
    private let tokens = PersonalTokenStore()
    private let audit: AuditLog

    package init(database: Database, effects: Effects) {
        self.database = database
        self.effects = effects
        accounts = AccountService(effects: effects)
        audit = AuditLog(effects: effects)
    }

    /// Makes what is missing in one transaction, so that several first starts at once make it once.
    package func run(_ configuration: InstallationConfiguration) async throws -> Outcome {
        let secret = configuration.token ?? TokenSecret(effects: effects)
        let now = effects.now()
        let token: AccessTokenID = effects.id()
        try Failpoint.reach(.installBegin)
        let isNew = try await database.write { [self] tx in
            guard try claim(at: now, in: tx) else { return false }
            try Failpoint.reach(.installClaimed)
            let user = try accounts.createUser(
                login: configuration.administrator,
                isSiteAdmin: true,
                at: now,
                in: tx
            )
            let organization = try accounts.createOrganization(
                configuration.organization,
                administrator: user.id,
                at: now,
                in: tx
            )
            try store.setDefaultOrganization(organization, of: user.id, in: tx)
            let record = AccessToken(
                id: token,
                kind: .personal,
                user: user.id,
                description: "first administrator",
                createdAt: now
            )
            try tokens.insert(record, hash: secret.hash, in: tx)
            try audit.append(
                .serverInstalled,
                on: configuration.organization.rawValue,
                in: .server,
                by: .system("installation"),
                at: now,
                tx: tx
            )
            try Failpoint.reach(.installMade)
            return true
        }
        try Failpoint.reach(.installDone)
        guard isNew else { return .existing }
        return .made(token: configuration.token == nil ? secret : nil)
    }

    /// Whether this call is the first one: the row that says so can be written once.
    private func claim(at now: Timestamp, in tx: Transaction) throws -> Bool {
        try tx.insertIgnoringDuplicates(
            into: "server_values",
            ["name": "installed", "value": now.rfc3339, "updated_at": now]
        )
    }
}
