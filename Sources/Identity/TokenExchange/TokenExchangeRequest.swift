import Contract
import Kernel

/// What a program asks for that exchanges its identity for an access token (RFC 8693, `spec/cli-protocol.md` §5.6).
struct TokenExchangeRequest: Sendable {
    static let grantType = "urn:ietf:params:oauth:grant-type:token-exchange"
    private static let identityToken = "urn:ietf:params:oauth:token-type:id_token"
    private static let audiencePrefix = "urn:pulumi:org:"
    private static let typePrefix = "urn:pulumi:token-type:access_token:"
    /// Two hours, when the client does not say.
    private static let usualLife = 7200

    let organization: OrganizationName
    let audience: String
    let token: IdentityToken
    let kind: ExchangedTokenKind
    let isAdmin: Bool
    /// As asked for, for the answer.
    let type: String
    let scope: String
    /// Seconds.
    let life: Int

    init(_ fields: ExchangeFields) throws(ServiceError) {
        guard let grant = try fields.text("grant_type") else {
            throw .exchange(.invalidRequest, "grant_type is missing")
        }
        guard grant == Self.grantType else {
            throw .exchange(.unsupportedGrantType, "grant_type must be \(Self.grantType)")
        }
        guard try fields.text("subject_token_type") == Self.identityToken else {
            throw .exchange(.invalidRequest, "subject_token_type must be \(Self.identityToken)")
        }
        guard let audience = try fields.text("audience"), audience.hasPrefix(Self.audiencePrefix),
            case let name = String(audience.dropFirst(Self.audiencePrefix.count)), OrganizationName.accepts(name)
        else {
            throw .exchange(.invalidTarget, "audience must be \(Self.audiencePrefix) and the name of an organization")
        }
        self.audience = audience
        organization = OrganizationName(unchecked: name)
        type = try fields.text("requested_token_type") ?? "\(Self.typePrefix)organization"
        scope = try fields.text("scope") ?? ""
        (kind, isAdmin) = try Self.kind(type: type, scope: scope)
        life = try Self.life(try fields.text("expiration"))
        guard let text = try fields.text("subject_token"), !text.isEmpty else {
            throw .exchange(.invalidRequest, "subject_token is missing")
        }
        do {
            token = try IdentityToken(text)
        } catch {
            throw .exchange(.invalidGrant, "the subject_token is not taken: \(error.text)")
        }
    }

    private static func kind(
        type: String,
        scope: String
    ) throws(ServiceError) -> (kind: ExchangedTokenKind, isAdmin: Bool) {
        guard type.hasPrefix(typePrefix) else {
            throw .exchange(.invalidRequest, "requested_token_type must be \(typePrefix)organization or …personal")
        }
        switch type.dropFirst(typePrefix.count) {
        case "organization":
            guard scope.isEmpty || scope == "admin" else {
                throw .exchange(.invalidScope, "the scope of an organization's token is empty or admin")
            }
            return (.organization, scope == "admin")
        case "personal":
            let login = String(scope.dropFirst("user:".count))
            guard scope.hasPrefix("user:"), OrganizationName.accepts(login) else {
                throw .exchange(.invalidScope, "the scope of a personal token is user: and a login")
            }
            return (.personal(login), false)
        case "team", "runner":
            throw .exchange(.invalidRequest, "tokens of teams and of runners are not offered by this server yet")
        default:
            throw .exchange(.invalidRequest, "requested_token_type must be \(typePrefix)organization or …personal")
        }
    }

    private static func life(_ text: String?) throws(ServiceError) -> Int {
        guard let text, !text.isEmpty else { return usualLife }
        guard text.utf8.allSatisfy({ (48...57).contains($0) }), let seconds = Int(text) else {
            throw .exchange(.invalidRequest, "expiration is a number of seconds")
        }
        return seconds == 0 ? usualLife : seconds
    }
}

/// The fields of a request, which come as a form or as JSON.
struct ExchangeFields: Sendable {
    private enum Source {
        case form(QueryParameters)
        case json(JSONObject)
    }

    private let source: Source

    init(_ bytes: [UInt8], contentType: String?) throws(ServiceError) {
        switch contentType {
        case "application/json":
            let limits = JSONLimits(bytes: bytes.count, depth: 8, values: 200)
            guard case .object(let object) = try? JSONValue.parse(bytes, limits: limits) else {
                throw .exchange(.invalidRequest, "the body is no JSON object, or has a name twice")
            }
            source = .json(object)
        case "application/x-www-form-urlencoded", nil, "":
            do {
                source = .form(try QueryParameters(parsing: bytes))
            } catch {
                throw .exchange(.invalidRequest, "the body is no form")
            }
        default:
            throw .exchange(.invalidRequest, "the body is a form (application/x-www-form-urlencoded) or JSON")
        }
    }

    /// Nil for a field that is not there; numbers of JSON count as their text.
    func text(_ name: String) throws(ServiceError) -> String? {
        switch source {
        case .form(let form):
            do {
                return try form.string(name)
            } catch {
                throw .exchange(.invalidRequest, "\(name) is given more than once")
            }
        case .json(let object):
            switch object[name] {
            case nil, .null: return nil
            case .string(let text), .number(let text): return text
            default: throw .exchange(.invalidRequest, "\(name) is no text")
            }
        }
    }
}
