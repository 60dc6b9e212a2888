package import HTTPAPI
package import Kernel
package import Persistence

/// Decides who a request is from and whether it may go on, from one snapshot of the database.
///
/// The rule for hiding lives here: who may not read a thing is told that it does not exist; who may read it but not do
/// this is told which permission is missing.
package struct IdentityAuthorizer: Authorizer {
    private let database: Database
    private let effects: Effects
    private let usage: TokenUsage
    private let leases: any LeaseVerifier
    private let store = AccessStore()

    package init(database: Database, effects: Effects, usage: TokenUsage, leases: any LeaseVerifier) {
        self.database = database
        self.effects = effects
        self.usage = usage
        self.leases = leases
    }

    package func admit(
        _ credential: Credential?,
        to requirement: Requirement,
        from address: String
    ) async throws -> Admission {
        if case .updateLease(let update, let stack) = requirement {
            return try await admitLease(credential, update: update, of: stack, from: address)
        }
        guard let credential, let secret = TokenSecret(credential.secret.reveal()) else {
            throw ServiceError.badCredentials
        }
        let hash = secret.hash
        let now = effects.now()
        let (admission, token) = try await database.read { [store] tx in
            guard let holder = try store.holder(hash: hash, in: tx), holder.expiresAt.map({ $0 > now }) ?? true else {
                throw ServiceError.badCredentials
            }
            let actor = holder.actor(from: address)
            do {
                return (try self.decide(requirement, for: actor, holder.principal, in: tx), holder.token)
            } catch let reason as ServiceError {
                throw AdmissionRefusal(of: actor, reason)
            }
        }
        usage.note(token, at: now)
        return admission
    }

    private func decide(
        _ requirement: Requirement,
        for actor: Actor,
        _ principal: TokenHolder.Principal,
        in tx: Transaction
    ) throws -> Admission {
        switch requirement {
        case .anonymous, .authenticated:
            return Admission(actor: actor)
        case .siteAdmin:
            guard actor.isSiteAdmin else { throw ServiceError.siteAdministratorNeeded }
            return Admission(actor: actor)
        case .organization(let permission, let name):
            let standing = try require(permission, of: principal, in: name, tx: tx)
            return Admission(actor: actor, organizationID: standing.organization)
        case .project(let permission, let project):
            let standing = try require(permission, of: principal, in: project.organization, tx: tx)
            return Admission(actor: actor, organizationID: standing.organization)
        case .stack(let permission, let stack):
            return try decide(permission, on: stack, for: actor, principal, in: tx)
        case .updateLease:
            throw ServiceError.leaseNeeded
        }
    }

    private func require(
        _ permission: OrganizationPermission,
        of principal: TokenHolder.Principal,
        in name: OrganizationName,
        tx: Transaction
    ) throws -> OrganizationStanding {
        guard let standing = try store.standing(of: principal, in: name, tx: tx), let role = standing.role else {
            throw ServiceError.organizationNotFound(name.rawValue)
        }
        guard role.grants(permission) else { throw ServiceError.permissionMissing(permission.scope) }
        return standing
    }

    private func decide(
        _ permission: StackPermission,
        on stack: StackRef,
        for actor: Actor,
        _ principal: TokenHolder.Principal,
        in tx: Transaction
    ) throws -> Admission {
        guard let standing = try store.standing(of: principal, in: stack.organization, tx: tx),
            let role = standing.role,
            let stackStanding = try self.standing(
                of: principal,
                on: stack,
                for: permission,
                in: standing.organization,
                tx: tx
            )
        else { throw ServiceError.stackNotFound(stack.description) }
        let level = max(role.stackLevel(default: standing.defaultStackLevel), stackStanding.grant)
        guard level >= .read else { throw ServiceError.stackNotFound(stack.description) }
        guard level >= StackAccessLevel.needed(for: permission) else {
            throw ServiceError.permissionMissing(permission.scope)
        }
        return Admission(actor: actor, organizationID: standing.organization, stackID: stackStanding.stack)
    }

    /// What the principal has on the stack.
    ///
    /// Reading secrets also works under a name the stack had before: state written under it names it, and is decrypted
    /// through it (`spec/cli-observed.md` 17).
    private func standing(
        of principal: TokenHolder.Principal,
        on stack: StackRef,
        for permission: StackPermission,
        in organization: OrganizationID,
        tx: Transaction
    ) throws -> StackStanding? {
        if let live = try store.standing(of: principal, on: stack, in: organization, tx: tx) { return live }
        guard permission == .decrypt else { return nil }
        return try store.standing(of: principal, onFormerName: stack, in: organization, tx: tx)
    }

    private func admitLease(
        _ credential: Credential?,
        update: UpdateID,
        of stack: StackRef,
        from address: String
    ) async throws -> Admission {
        guard let credential, credential.kind == .updateToken else { throw ServiceError.leaseNeeded }
        let token = credential.secret.reveal()
        return try await database.read { [leases] tx in
            let holder = try leases.holder(token: token, update: update, of: stack, in: tx)
            let actor = Actor(
                kind: .updateLease,
                userID: holder.user,
                login: holder.login,
                sourceAddress: address
            )
            return Admission(actor: actor, organizationID: holder.organization, stackID: holder.stack)
        }
    }
}
