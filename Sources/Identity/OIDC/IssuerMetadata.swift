import Contract
import Kernel

/// What an issuer's discovery document says (OpenID Connect Discovery 1.0 §3), as far as it is used.
struct IssuerMetadata: Sendable {
    let issuer: String
    let keysURL: String

    /// - Parameter url: where the issuer was said to be; the document must agree, or it speaks for somebody else.
    init(_ body: [UInt8], at url: String) throws(IssuerUnreachable) {
        let limits = JSONLimits(bytes: body.count, depth: 16, values: 10_000)
        guard case .object(let object) = try? JSONValue.parse(body, limits: limits),
            case .string(let issuer) = object["issuer"], case .string(let keysURL) = object["jwks_uri"]
        else { throw .noDocument("the discovery document has no 'issuer' and 'jwks_uri'") }
        guard Self.trimmed(issuer) == Self.trimmed(url) else {
            throw .noDocument("the discovery document speaks for another issuer")
        }
        guard OIDCIssuer.isURL(keysURL) else { throw .noDocument("'jwks_uri' is not taken") }
        self.issuer = issuer
        self.keysURL = keysURL
    }

    static func location(of url: String) -> String {
        "\(trimmed(url))/.well-known/openid-configuration"
    }

    /// Some issuers end their name with a slash and some do not, whatever their URL is written like.
    private static func trimmed(_ url: String) -> Substring {
        var rest = url[...]
        while rest.hasSuffix("/") { rest.removeLast() }
        return rest
    }
}
