package import Identity
import Kernel
import Persistence
import TestKit
package import Testing

/// Makes accounts through the stores of `Identity`, without audit events, so that the log of a test is its own.
struct TestAccounts: Sendable {
    private let effects: Effects
    private let service: AccountService
    private let store = AccountStore()
    private let tokens = PersonalTokenStore()

    init(effects: Effects) {
        self.effects = effects
        service = AccountService(effects: effects)
    }

    /// The accounts that `TestCaller` names.
    func make(in database: Database) async throws {
        try await database.write { [self] tx in
            let dev = try user("dev", caller: .dev, in: tx)
            let mia = try user("mia", caller: .mia, in: tx)
            let eve = try user("eve", caller: .eve, in: tx)
            _ = try user("root", caller: .root, isSiteAdmin: true, in: tx)
            let now = effects.now()
            let acme = try service.createOrganization(
                OrganizationName("acme"),
                administrator: dev,
                at: now,
                in: tx
            )
            try store.insertMembership(of: mia, in: acme, role: .member, at: now, tx: tx)
            _ = try service.createOrganization(OrganizationName("other"), administrator: eve, at: now, in: tx)
        }
    }

    /// A user with the caller's token.
    func user(_ login: String, caller: TestCaller, isSiteAdmin: Bool = false, in tx: Transaction) throws -> UserID {
        let now = effects.now()
        let user = try service.createUser(
            login: OrganizationName(login),
            isSiteAdmin: isSiteAdmin,
            at: now,
            in: tx
        )
        guard let secret = caller.accessToken.flatMap(TokenSecret.init) else { return user.id }
        let token = AccessToken(
            id: effects.id(),
            kind: .personal,
            user: user.id,
            description: "test token of \(login)",
            createdAt: now
        )
        try tokens.insert(token, hash: secret.hash, in: tx)
        return user.id
    }

    func join(_ user: UserID, _ organization: String, as role: OrganizationRole, in tx: Transaction) throws {
        let name = try OrganizationName(organization)
        guard let id = try store.findOrganization(name, in: tx) else {
            throw ServiceError.organizationNotFound(organization)
        }
        try store.insertMembership(of: user, in: id, role: role, at: effects.now(), tx: tx)
    }
}

extension TestServer {
    /// Makes one more user, a member of `organization`, and gives who sends requests in their name.
    package func addUser(
        _ login: String,
        to organization: String = "acme",
        as role: OrganizationRole = .member
    ) async throws -> TestCaller {
        let accounts = TestAccounts(effects: clock.effects)
        let caller = TestCaller.token("test-token-of-\(login)")
        try await database.write { tx in
            let user = try accounts.user(login, caller: caller, in: tx)
            try accounts.join(user, organization, as: role, in: tx)
        }
        return caller
    }

    /// Makes a token that is good in one organization only, and gives who sends requests with it.
    ///
    /// - Parameters:
    ///   - login: the person whose rights it carries; nil for the organization itself.
    ///   - isAdmin: whether an organization's token has an administrator's rights.
    package func addToken(
        confinedTo organization: String = "acme",
        of login: String? = nil,
        isAdmin: Bool = false
    ) async throws -> TestCaller {
        let effects = clock.effects
        let text = "test-token-\(effects.id(Entity.AccessToken.self))"
        try await database.write { tx in
            let accounts = AccountStore()
            guard let secret = TokenSecret(text),
                let id = try accounts.findOrganization(OrganizationName(organization), in: tx),
                let user = try accounts.find(login: OrganizationName(login ?? "dev"), in: tx)
            else { throw ServiceError.organizationNotFound(organization) }
            let token = AccessToken(
                id: effects.id(),
                kind: login == nil ? .organization : .personal,
                user: user.id,
                name: "ci",
                description: "",
                isAdmin: isAdmin,
                createdAt: effects.now()
            )
            try OrganizationTokenStore().insert(token, hash: secret.hash, in: id, tx: tx)
        }
        return .token(text)
    }

    /// Makes a stack (`acme/site/dev`) through the API; its routes must be there.
    package func createStack(
        _ reference: String,
        tags: String = "{}",
        as caller: TestCaller = .dev,
        at location: SourceLocation = #_sourceLocation
    ) async throws {
        let parts = reference.split(separator: "/")
        precondition(parts.count == 3, "a stack is ORGANIZATION/PROJECT/STACK")
        let json = #"{"stackName":"\#(parts[2])","tags":\#(tags)}"#
        let reply = try await send("POST", "/api/stacks/\(parts[0])/\(parts[1])", json: json, as: caller, at: location)
        guard reply.isSuccess else { throw UnexpectedReply("creating \(reference)", reply) }
    }
}
