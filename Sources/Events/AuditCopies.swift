package import Kernel
package import Persistence

/// How far the chains of the audit log were copied to places outside of this database.
///
/// The events themselves stay here. A destination is whatever text its writer calls it by: another one begins at the
/// first event of every chain, those from before it was known too.
package struct AuditCopies: Sendable {
    /// The last event of a chain that is at the destination for certain.
    package struct Mark: Sendable, Equatable {
        package let scope: AuditEvent.Scope
        /// 0 when there is none.
        package let sequence: Int64
        package let hash: [UInt8]

        package init(_ scope: AuditEvent.Scope, sequence: Int64, hash: [UInt8]) {
            self.scope = scope
            self.sequence = sequence
            self.hash = hash
        }
    }

    /// A chain that has events behind its mark.
    package struct Lag: Sendable, Equatable {
        package let mark: Mark
        /// How many events there are behind the mark.
        package let events: Int64
    }

    private let store = AuditStore()

    package init() {}

    /// Chains with events that are not at the destination yet: those first that were copied the longest time ago.
    ///
    /// - Parameter destination: at most 64 ASCII characters.
    package func behind(at destination: String, limit: Int, in tx: Transaction) throws -> [Lag] {
        try tx.all(
            """
            SELECT c.scope, c.sequence, m.sequence, m.hash FROM audit_chains c
            LEFT JOIN audit_copies m ON m.destination = \(destination) AND m.scope = c.scope
            WHERE c.sequence > COALESCE(m.sequence, 0) ORDER BY m.copied_at, c.scope LIMIT \(limit)
            """
        ) { row in
            let key = try row.text(0)
            guard let scope = AuditEvent.Scope(key: key) else {
                throw ServiceError(.internalError, "The audit log has a chain called '\(key)', which names nothing")
            }
            let sequence = try row.optional(2, Row.integer) ?? 0
            let hash = try row.optional(3, Row.bytes) ?? AuditHead.empty.hash
            return Lag(mark: Mark(scope, sequence: sequence, hash: hash), events: try row.integer(1) - sequence)
        }
    }

    /// The events behind a mark in their order, at most `limit`.
    package func events(behind mark: Mark, limit: Int, in tx: Transaction) throws -> [AuditRecord] {
        try store.page(of: mark.scope, after: mark.sequence, limit: limit, in: tx)
    }

    /// Moves the mark of a chain on; never back, whoever else moves it.
    package func advance(_ mark: Mark, at destination: String, now: Timestamp, in tx: Transaction) throws {
        let isNew = try tx.insertIgnoringDuplicates(
            into: "audit_copies",
            [
                "destination": destination, "scope": mark.scope.key, "sequence": mark.sequence, "hash": mark.hash,
                "copied_at": now,
            ]
        )
        guard !isNew else { return }
        try tx.execute(
            """
            UPDATE audit_copies SET sequence = \(mark.sequence), hash = \(mark.hash), copied_at = \(now)
            WHERE destination = \(destination) AND scope = \(mark.scope.key) AND sequence < \(mark.sequence)
            """
        )
    }
}
