import Kernel
import Persistence

/// The last link of a chain.
struct AuditHead: Equatable {
    var sequence: Int64
    var hash: [UInt8]

    static let empty = AuditHead(sequence: 0, hash: Array(repeating: 0, count: 32))
}

/// An event as it is stored, with its link.
package struct AuditRecord: Sendable, Equatable {
    package var event: AuditEvent
    /// What the chain says of it and of everything before.
    package var hash: [UInt8]

    package init(event: AuditEvent, hash: [UInt8]) {
        self.event = event
        self.hash = hash
    }
}

/// SQL for `audit_events` and `audit_chains`.
struct AuditStore: Sendable {
    private static let columns: SQL = """
        id, scope, sequence, action_slug, actor_kind, actor_user_id, actor_login, actor_token_id, source_address, subject, \
        details, created_at, hash
        """

    func head(of scope: AuditEvent.Scope, in tx: Transaction) throws -> AuditHead {
        try storedHead(of: scope, in: tx) ?? .empty
    }

    /// The head, locked against other writers until the transaction ends.
    ///
    /// A plain lock is all it takes but for the first event of a chain.
    func lockHead(of scope: AuditEvent.Scope, in tx: Transaction) throws -> AuditHead {
        if try storedHead(of: scope, in: tx) == nil {
            try tx.insertOrLock(
                into: "audit_chains",
                key: "scope",
                ["scope": scope.key, "sequence": 0, "hash": AuditHead.empty.hash]
            )
        } else {
            try tx.lock("audit_chains", where: "scope = \(scope.key)")
        }
        return try head(of: scope, in: tx)
    }

    private func storedHead(of scope: AuditEvent.Scope, in tx: Transaction) throws -> AuditHead? {
        try tx.first("SELECT sequence, hash FROM audit_chains WHERE scope = \(scope.key)") { row in
            AuditHead(sequence: try row.integer(0), hash: try row.bytes(1))
        }
    }

    func setHead(_ head: AuditHead, of scope: AuditEvent.Scope, in tx: Transaction) throws {
        try tx.execute(
            "UPDATE audit_chains SET sequence = \(head.sequence), hash = \(head.hash) WHERE scope = \(scope.key)"
        )
    }

    func insert(_ event: AuditEvent, previousHash: [UInt8], hash: [UInt8], in tx: Transaction) throws {
        try tx.insert(
            into: "audit_events",
            [
                "id": event.id,
                "scope": event.scope.key,
                "sequence": event.sequence,
                "action_slug": event.action.slug,
                "actor_kind": event.actor.kind.rawValue,
                "actor_user_id": event.actor.userID,
                "actor_login": event.actor.login,
                "actor_token_id": event.actor.tokenID,
                "source_address": event.actor.sourceAddress,
                "subject": event.subject,
                "details": AuditDetails.encode(event.details),
                "created_at": event.at,
                "hash": hash,
            ]
        )
    }

    /// Every event of a chain in order, until `body` answers false.
    func each(of scope: AuditEvent.Scope, in tx: Transaction, _ body: (AuditRecord) throws -> Bool) throws {
        try tx.each("SELECT \(Self.columns) FROM audit_events WHERE scope = \(scope.key) ORDER BY sequence") { row in
            try body(try AuditRecord(row: row, scope: scope))
        }
    }

    /// The events of a chain behind a place, in order, at most `limit`.
    func page(of scope: AuditEvent.Scope, after sequence: Int64, limit: Int, in tx: Transaction) throws -> [AuditRecord]
    {
        try tx.all(
            """
            SELECT \(Self.columns) FROM audit_events WHERE scope = \(scope.key) AND sequence > \(sequence)
            ORDER BY sequence LIMIT \(limit)
            """
        ) { row in try AuditRecord(row: row, scope: scope) }
    }
}

extension AuditRecord {
    init(row: Row, scope: AuditEvent.Scope) throws {
        let actor = Actor(
            kind: Actor.Kind(rawValue: try row.text(4)) ?? .system,
            userID: try row.optional(5) { row in { try row.id($0) } },
            login: try row.text(6),
            tokenID: try row.optional(7) { row in { try row.id($0) } },
            sourceAddress: try row.optional(8, Row.text)
        )
        event = AuditEvent(
            id: try row.id(0),
            scope: scope,
            sequence: try row.integer(2),
            action: AuditAction(try row.text(3)),
            actor: actor,
            subject: try row.text(9),
            details: AuditDetails.decode(try row.text(10)),
            at: try row.timestamp(11)
        )
        hash = try row.bytes(12)
    }
}

/// Details as text: `name=value` lines with `\`, `=` and line breaks escaped, so that reading gives back what was hashed.
enum AuditDetails {
    static func encode(_ details: [AuditEvent.Detail]) -> String {
        details.map { "\(escape($0.name))=\(escape($0.value))" }.joined(separator: "\n")
    }

    static func decode(_ text: String) -> [AuditEvent.Detail] {
        guard !text.isEmpty else { return [] }
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return AuditEvent.Detail(unescape(parts[0]), parts.count > 1 ? unescape(parts[1]) : "")
        }
    }

    private static func escape(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "=": result += "\\e"
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func unescape(_ text: Substring) -> String {
        var result = ""
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if isEscaped {
                result.unicodeScalars.append(scalar == "n" ? "\n" : scalar == "e" ? "=" : scalar)
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
