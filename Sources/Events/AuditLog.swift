import Crypto
package import Kernel
package import Persistence

/// Appends to the audit log inside the caller's transaction: no change without its record, no record without its
/// change.
///
/// Each chain is hashed event by event, so that a change to the past shows (`design/reliability-security.md` S-75, S-76).
/// Appending locks the head of the chain until the transaction ends; call it last.
package struct AuditLog: Sendable {
    private let effects: Effects
    private let store = AuditStore()

    package init(effects: Effects) {
        self.effects = effects
    }

    /// Appends one event.
    ///
    /// - Parameters:
    ///   - subject: what it was done to, as its reference at this time.
    ///   - details: what a reader needs beyond that. Never a secret.
    package func append(
        _ action: AuditAction,
        on subject: String,
        in scope: AuditEvent.Scope,
        by actor: Actor,
        at now: Timestamp,
        details: [AuditEvent.Detail] = [],
        tx: Transaction
    ) throws {
        let head = try store.lockHead(of: scope, in: tx)
        try Failpoint.reach(.auditLocked)
        let event = AuditEvent(
            id: effects.id(),
            scope: scope,
            sequence: head.sequence + 1,
            action: action,
            actor: actor,
            subject: subject,
            details: details,
            at: now
        )
        let hash = SHA256.hash(event.encoded(after: head.hash)).bytes
        try store.insert(event, previousHash: head.hash, hash: hash, in: tx)
        try Failpoint.reach(.auditInserted)
        try store.setHead(AuditHead(sequence: event.sequence, hash: hash), of: scope, in: tx)
        try Failpoint.reach(.auditHeadSet)
    }

    /// Checks one chain from its beginning to its head.
    ///
    /// - Returns: the sequence number of the first event that does not fit, or nil when all do.
    package func firstBreak(in scope: AuditEvent.Scope, tx: Transaction) throws -> Int64? {
        var expected = AuditHead.empty
        var broken: Int64?
        try store.each(of: scope, in: tx) { record in
            let hash = SHA256.hash(record.event.encoded(after: expected.hash)).bytes
            guard record.event.sequence == expected.sequence + 1, record.hash == hash else {
                broken = expected.sequence + 1
                return false
            }
            expected = AuditHead(sequence: record.event.sequence, hash: hash)
            return true
        }
        if let broken { return broken }
        let head = try store.head(of: scope, in: tx)
        return head == expected ? nil : expected.sequence + 1
    }
}
