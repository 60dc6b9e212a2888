package import Encryption
package import Events
package import Kernel
package import Persistence

/// Encrypts and decrypts values with the key of a stack, which follows the stack and dies with it.
package struct SecretService: Sendable {
    private let database: Database
    private let effects: Effects
    private let keys: DataKeys
    private let values: ValueEncryption
    private let audit: AuditLog
    private let stacks = StackStore()
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
    /// The first call makes the stack's key.
    package func encrypt(_ plaintexts: [[UInt8]], of stack: StackID) async throws -> [[UInt8]] {
        let owner = KeyOwner("stack", stack)
        let existing = try await findKey(of: stack)
        let key: StoredDataKey = if let existing { existing } else { try await makeKey(of: stack, owner) }
        let cipher = try await keys.cipher(key, for: owner)
        return try await values.encrypt(plaintexts, with: cipher)
    }

    /// Decrypts values, in order, all or none, and writes down who did.
    ///
    /// - Throws: `.invalidArgument` for values of another stack, or damaged ones.
    package func decrypt(
        _ ciphertexts: [[UInt8]],
        of stack: StackID,
        action: AuditAction,
        by actor: Actor
    ) async throws -> [[UInt8]] {
        guard !ciphertexts.isEmpty else { return [] }
        try ValueEncryption.checkForm(ciphertexts)
        let owner = KeyOwner("stack", stack)
        guard let key = try await findKey(of: stack) else { throw ServiceError.messageAuthenticationFailed }
        let cipher = try await keys.cipher(key, for: owner)
        let plaintexts = try await values.decrypt(ciphertexts, with: cipher)
        try await record(action, on: stack, details: [AuditEvent.Detail("values", "\(ciphertexts.count)")], by: actor)
        return plaintexts
    }

    /// Writes down that a client decrypted values by itself, as it reports (`spec/cli-protocol.md` §7.7).
    package func logDecryption(
        _ action: AuditAction,
        of stack: StackID,
        detail: AuditEvent.Detail,
        by actor: Actor
    ) async throws {
        try await record(action, on: stack, details: [detail], by: actor)
    }

    private func findKey(of stack: StackID) async throws -> StoredDataKey? {
        try await database.read { [stacks, store] tx in
            guard try stacks.find(stack, in: tx) != nil else { throw ServiceError.messageAuthenticationFailed }
            return try store.find(owner: stack, in: tx)
        }
    }

    /// When several make the first key at once, the one whose row was inserted counts for all.
    private func makeKey(of stack: StackID, _ owner: KeyOwner) async throws -> StoredDataKey {
        try Failpoint.reach(.keyMake)
        let made = try await keys.make(for: owner)
        try Failpoint.reach(.keyMade)
        let now = effects.now()
        let kept = try await database.write { [stacks, store] tx in
            guard let found = try stacks.lock(stack, in: tx) else { throw ServiceError.messageAuthenticationFailed }
            _ = try store.insert(made, owner: found.id, at: now, in: tx)
            try Failpoint.reach(.keyInserted)
            let key = try store.find(owner: stack, in: tx) ?? made
            try Failpoint.reach(.keyReread)
            return key
        }
        try Failpoint.reach(.keyKept)
        return kept
    }

    private func record(
        _ action: AuditAction,
        on id: StackID,
        details: [AuditEvent.Detail],
        by actor: Actor
    ) async throws {
        let now = effects.now()
        try await database.write { [stacks, audit] tx in
            guard let stack = try stacks.find(id, in: tx) else { return }
            try audit.append(
                action,
                on: stack.ref.description,
                in: .organization(stack.organization),
                by: actor,
                at: now,
                details: details,
                tx: tx
            )
        }
    }
}
