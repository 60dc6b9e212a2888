import Kernel
import Persistence

/// The order of a list of tokens, with the id as the last word where two are equal.
package struct OrganizationTokenOrder: Sendable {
    package enum Field: String, Sendable {
        case name
        case created
        case lastUsed
        case expires
    }

    package var field: Field
    package var isDescending: Bool

    package init(field: Field = .created, isDescending: Bool = true) {
        self.field = field
        self.isDescending = isDescending
    }

    /// What stands for the order in the tokens of pages.
    package var mark: String { "\(field.rawValue) \(isDescending)" }

    /// Where in the order a token stands.
    package struct Position: Sendable {
        let key: SQLValue
        let id: AccessTokenID

        /// As the text of a page's token; nil for values that no position has.
        package init?(_ texts: [String], in order: OrganizationTokenOrder) {
            guard texts.count == 2, let id = AccessTokenID(texts[1]) else { return nil }
            self.id = id
            if order.field == .name {
                key = .text(texts[0])
            } else {
                guard let microseconds = Int64(texts[0]) else { return nil }
                key = .integer(microseconds)
            }
        }

        fileprivate init(key: SQLValue, id: AccessTokenID) {
            self.key = key
            self.id = id
        }

        package var texts: [String] {
            switch key {
            case .text(let text): [text, id.description]
            case .integer(let value): [String(value), id.description]
            case .null, .bytes: ["", id.description]
            }
        }
    }

    package func position(of token: AccessToken) -> Position {
        switch field {
        case .name: Position(key: .text(token.name), id: token.id)
        case .created: Position(key: .integer(token.createdAt.microseconds), id: token.id)
        case .lastUsed: Position(key: .integer(token.lastUsedAt?.microseconds ?? 0), id: token.id)
        case .expires: Position(key: .integer(token.expiresAt?.microseconds ?? 0), id: token.id)
        }
    }

    /// What comes behind a position.
    func following(_ position: Position) -> SQL {
        let sign: SQL = isDescending ? "<" : ">"
        return """
            (\(column) \(sign) \(position.key)
            OR (\(column) = \(position.key) AND t.id \(sign) \(position.id)))
            """
    }

    var clause: SQL {
        let direction: SQL = isDescending ? "DESC" : "ASC"
        return "ORDER BY \(column) \(direction), t.id \(direction)"
    }

    private var column: SQL {
        switch field {
        case .name: "t.name"
        case .created: "t.created_at"
        case .lastUsed: "COALESCE(t.last_used_at, 0)"
        case .expires: "COALESCE(t.expires_at, 0)"
        }
    }
}
