import Contract
package import Kernel

/// What an organization gives to whom its issuer names: a list of entries, denying all that none of them allows.
package struct AuthorizationPolicy: Sendable {
    package var id: AuthorizationPolicyID
    package var issuer: OIDCIssuerID
    package var version: Int
    package var entries: [PolicyEntry]
    package var createdAt: Timestamp
    package var modifiedAt: Timestamp

    /// What somebody asks for.
    struct Request: Sendable {
        var kind: ExchangedTokenKind
        var isAdmin: Bool
        var claims: JSONObject
    }

    /// Whether a token is given: any entry that matches and denies wins, then any that allows.
    func allows(_ request: Request) -> Bool {
        let matching = entries.filter { $0.matches(request) }
        guard !matching.contains(where: { $0.decision == .deny }) else { return false }
        return matching.contains { $0.permits(request) }
    }
}

/// Whose rights a token that is given in exchange carries.
package enum ExchangedTokenKind: Sendable, Equatable {
    case organization
    /// A member of the organization, by login.
    case personal(String)
}

/// One entry of a policy.
package struct PolicyEntry: Sendable, Equatable {
    enum Decision: String, Sendable {
        case allow
        case deny
    }

    struct Rule: Sendable, Equatable {
        let claim: String
        let path: ClaimPath
        let pattern: ClaimPattern
    }

    let decision: Decision
    let kind: ExchangedTokenKind
    let permissions: [String]
    let rules: [Rule]

    /// All rules hold; of a claim that is a list, one element is enough.
    func matches(_ request: AuthorizationPolicy.Request) -> Bool {
        kind == request.kind
            && rules.allSatisfy { rule in rule.path.values(in: request.claims).contains(where: rule.pattern.matches) }
    }

    func permits(_ request: AuthorizationPolicy.Request) -> Bool {
        decision == .allow && (!request.isAdmin || permissions.contains("admin"))
    }
}

// MARK: - Wire form

extension PolicyEntry {
    private static let mostRules = 20
    /// What every token of an issuer for an organization has in common says nothing about who presents it.
    private static let common: Set<String> = ["iss", "aud", "exp", "iat", "nbf"]

    /// Checks an entry as it came.
    ///
    /// - Parameter place: what messages call it, such as `policies[0]`.
    init(_ wire: AuthPolicyDefinition, at place: String) throws(ServiceError) {
        guard let decision = Decision(rawValue: wire.decision) else {
            throw .invalid("\(place).decision", "takes allow or deny")
        }
        self.decision = decision
        kind = try Self.kind(wire, at: place)
        guard (wire.roleID ?? "").isEmpty else {
            throw .invalid("\(place).roleID", "custom roles are not offered; leave it out")
        }
        let known = kind == .organization ? ["standard", "admin"] : ["standard"]
        guard wire.authorizedPermissions.allSatisfy(known.contains) else {
            throw .invalid("\(place).authorizedPermissions", "takes \(known.joined(separator: " and ")) here")
        }
        permissions = wire.authorizedPermissions
        guard wire.rules.count <= Self.mostRules else {
            throw .invalid("\(place).rules", "are at most \(Self.mostRules)")
        }
        var rules: [Rule] = []
        for (claim, value) in wire.rules.sorted(by: { $0.key < $1.key }) {
            guard let path = ClaimPath(claim) else {
                throw .invalid("\(place).rules", "has a name that is no claim: names with dots between them")
            }
            guard case .string(let text) = try? value.parsed(), let pattern = ClaimPattern(text) else {
                throw .invalid("\(place).rules.\(claim)", "is a pattern of 1 to \(ClaimPattern.longest) bytes")
            }
            rules.append(Rule(claim: claim, path: path, pattern: pattern))
        }
        self.rules = rules
        guard decision == .deny || isAnchored else {
            throw .invalid(
                "\(place).rules",
                "must tie a claim such as 'sub', beside 'iss' and 'aud', to more than wildcards"
            )
        }
    }

    private var isAnchored: Bool {
        rules.contains { rule in
            rule.pattern.isAnchored && !(rule.path.names.count == 1 && Self.common.contains(rule.path.names[0]))
        }
    }

    private static func kind(_ wire: AuthPolicyDefinition, at place: String) throws(ServiceError) -> ExchangedTokenKind
    {
        switch wire.tokenType {
        case "organization":
            return .organization
        case "personal":
            guard let login = wire.userLogin, OrganizationName.accepts(login) else {
                throw .invalid("\(place).userLogin", "is the login of a member")
            }
            return .personal(login)
        case "team", "runner":
            throw .invalid("\(place).tokenType", "tokens of teams and of runners are not offered yet")
        default:
            throw .invalid("\(place).tokenType", "takes organization or personal")
        }
    }

    var wire: AuthPolicyDefinition {
        let login: String? = if case .personal(let login) = kind { login } else { nil }
        return AuthPolicyDefinition(
            decision: decision.rawValue,
            tokenType: login == nil ? "organization" : "personal",
            userLogin: login,
            authorizedPermissions: permissions,
            rules: Dictionary(
                rules.map { ($0.claim, RawJSON(JSONValue.string($0.pattern.text))) },
                uniquingKeysWith: { first, _ in first }
            )
        )
    }
}
