package import Kernel

/// One line of the audit log.
package struct AuditEvent: Sendable, Equatable {
    /// Where the event belongs: each organization has its own chain, and the server has one for what is nobody's.
    package enum Scope: Sendable, Hashable {
        case organization(OrganizationID)
        case server

        /// The text that names the chain in the database.
        package var key: String {
            switch self {
            case .organization(let id): id.description
            case .server: "server"
            }
        }

        /// The chain that a text names; nil for a text that names none.
        package init?(key: String) {
            if key == "server" {
                self = .server
            } else if let id = OrganizationID(key) {
                self = .organization(id)
            } else {
                return nil
            }
        }
    }

    package var id: AuditEventID
    package var scope: Scope
    /// Place in the chain, counted from 1 without gaps.
    package var sequence: Int64
    package var action: AuditAction
    package var actor: Actor
    /// What it was done to, as its reference at that time (`acme/site/dev`).
    package var subject: String
    /// What a reader needs beyond action and subject.
    ///
    /// Never a secret.
    package var details: [Detail]
    package var at: Timestamp

    package init(
        id: AuditEventID,
        scope: Scope,
        sequence: Int64,
        action: AuditAction,
        actor: Actor,
        subject: String,
        details: [Detail],
        at: Timestamp
    ) {
        self.id = id
        self.scope = scope
        self.sequence = sequence
        self.action = action
        self.actor = actor
        self.subject = subject
        self.details = details
        self.at = at
    }

    package struct Detail: Sendable, Equatable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The bytes that the chain's hash covers: every field with its length, so that no two events share an encoding.
    package func encoded(after previousHash: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        func append(_ field: some Sequence<UInt8>) {
            let field = Array(field)
            withUnsafeBytes(of: UInt64(field.count).bigEndian) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: field)
        }
        append(previousHash)
        for text in [
            "1", id.description, scope.key, String(sequence), action.slug, actor.kind.rawValue,
            actor.userID?.description ?? "", actor.login, actor.tokenID?.description ?? "",
            actor.sourceAddress ?? "", subject, String(at.microseconds),
        ] {
            append(text.utf8)
        }
        for detail in details {
            append(detail.name.utf8)
            append(detail.value.utf8)
        }
        return bytes
    }
}
