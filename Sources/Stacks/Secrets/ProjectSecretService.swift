package import Encryption
import Events
package import Kernel
package import Persistence

/// Encrypts and decrypts values with the key of a project.
///
/// The key belongs to the project by its name: it stays when stacks come and go.
package struct ProjectSecretService: Sendable {
    private let database: Database
    private let effects: Effects
    private let keys: DataKeys
    private let values: ValueEncryption
    private let audit: AuditLog
    private let stacks = StackStore()
    private let projects = ProjectStore()
    private let store = DataKeyStore()

    package init(database: Database, effects: Effects, keys: DataKeys, compute: BlockingPool) {
        self.database = database
        self.effects = effects
        self.keys = keys
        values = ValueEncryption(compute: compute)
        audit = AuditLog(effects: effects)
    }

    /// Encrypts values, in order.
    ///
    /// The first call makes the project's key.
    ///
    /// - Throws: `.notFound` for a project without stacks.
    package func encrypt(
        _ plaintexts: [[UInt8]],
        of project: ProjectRef,
        in organization: OrganizationID
    ) async throws -> [[UInt8]] {
        let (id, stored) = try await requireKey(of: project, in: organization)
        let cipher = try await keys.cipher(stored, for: KeyOwner("project", id))
        return try await values.encrypt(plaintexts, with: cipher)
    }

    /// Decrypts values, in order, all or none, and writes down who did.
    ///
    /// - Throws: `.invalidArgument` for values of another project or of a stack, or damaged ones.
    package func decrypt(
        _ ciphertexts: [[UInt8]],
        of project: ProjectRef,
        in organization: OrganizationID,
        action: AuditAction,
        by actor: Actor
    ) async throws -> [[UInt8]] {
        let found = try await database.read { [self] tx -> (ProjectID, StoredDataKey)? in
            guard try stacks.projectExists(project, in: tx) else { throw ServiceError.projectNotFound(project) }
            guard let id = try projects.find(project.project, in: organization, tx: tx),
                let key = try store.find(owner: id, in: tx)
            else { return nil }
            return (id, key)
        }
        guard !ciphertexts.isEmpty else { return [] }
        try ValueEncryption.checkForm(ciphertexts)
        guard let (id, stored) = found else { throw ServiceError.messageAuthenticationFailed }
        let cipher = try await keys.cipher(stored, for: KeyOwner("project", id))
        let plaintexts = try await values.decrypt(ciphertexts, with: cipher)
        let now = effects.now()
        try await database.write { [audit] tx in
            try audit.append(
                action,
                on: project.description,
                in: .organization(organization),
                by: actor,
                at: now,
                details: [AuditEvent.Detail("values", "\(ciphertexts.count)")],
                tx: tx
            )
        }
        return plaintexts
    }

    /// The project's key, made if there is none; of several made at once the one whose row was inserted counts for all.
    private func requireKey(
        of project: ProjectRef,
        in organization: OrganizationID
    ) async throws -> (ProjectID, StoredDataKey) {
        let now = effects.now()
        let new: ProjectID = effects.id()
        let (id, existing) = try await database.read { [self] tx -> (ProjectID?, StoredDataKey?) in
            guard try stacks.projectExists(project, in: tx) else { throw ServiceError.projectNotFound(project) }
            let id = try projects.find(project.project, in: organization, tx: tx)
            return (id, try id.flatMap { try store.find(owner: $0, in: tx) })
        }
        if let id, let existing { return (id, existing) }
        let project = project.project
        let owner = try await database.write { [projects] tx in
            try projects.findOrInsert(project, in: organization, id: new, at: now, tx: tx)
        }
        try Failpoint.reach(.projectInserted)
        let made = try await keys.make(for: KeyOwner("project", owner))
        try Failpoint.reach(.projectKeyMade)
        let kept = try await database.write { [store] tx in
            _ = try store.insert(made, owner: owner, at: now, in: tx)
            try Failpoint.reach(.projectKeyInserted)
            return try store.find(owner: owner, in: tx) ?? made
        }
        try Failpoint.reach(.projectKeyKept)
        return (owner, kept)
    }
}
