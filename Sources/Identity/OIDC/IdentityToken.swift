import Contract
import Crypto
import Kernel

/// A JWT in its compact form (RFC 7515, RFC 7519), taken apart and not yet believed.
///
/// Only what names the algorithm and the key is read of its header: keys and addresses of keys that a token brings along
/// are passed over, and extensions that must be understood are refused.
struct IdentityToken: Sendable {
    /// The longest token that is looked at, in bytes (S-23).
    static let longest = 16_384
    /// How far clocks may differ, in seconds.
    private static let skew: Int64 = 60
    private static let limits = JSONLimits(bytes: longest, depth: 16, values: 2000, numberLength: 64)

    /// Why a token is not taken, in words for whoever presents it.
    struct Problem: Error, Sendable, Equatable {
        let text: String

        init(_ text: String) {
            self.text = text
        }
    }

    let algorithm: SignatureAlgorithm
    let keyID: String?
    let issuer: String
    let claims: JSONObject
    private let message: [UInt8]
    private let signature: [UInt8]

    init(_ text: String) throws(Problem) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.longest else { throw Problem("it has more than \(Self.longest) bytes") }
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty }) else {
            throw Problem("it does not have the three parts of a signed JWT")
        }
        let header = try Self.object(parts[0], "header")
        guard header["crit"] == nil, header["b64"] == nil, header["enc"] == nil, header["zip"] == nil else {
            throw Problem("its header asks for an extension that is not known here")
        }
        try Self.check(type: header)
        guard case .string(let name) = header["alg"], let algorithm = SignatureAlgorithm(rawValue: name) else {
            let known = SignatureAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
            throw Problem("its algorithm is none of \(known)")
        }
        self.algorithm = algorithm
        keyID = try Self.text(header, "kid")
        guard let signature = Self.decode(parts[2]) else { throw Problem("its signature is not base64url") }
        self.signature = signature
        message = Array(bytes[..<(parts[0].count + 1 + parts[1].count)])
        claims = try Self.object(parts[1], "payload")
        guard let issuer = try Self.text(claims, "iss"), !issuer.isEmpty else { throw Problem("it has no claim 'iss'") }
        self.issuer = issuer
    }

    /// Whether the key signed it.
    func isSigned(by key: PublicKey) -> Bool {
        key.isSignature(signature, of: message, by: algorithm)
    }

    // MARK: - Claims

    /// Checks times and audience.
    func check(audience: String, now: Timestamp) throws(Problem) {
        guard let expiry = try time("exp") else { throw Problem("it has no claim 'exp'") }
        guard expiry > now.seconds - Self.skew else { throw Problem("it has expired") }
        if let start = try time("nbf"), start > now.seconds + Self.skew { throw Problem("it is not valid yet ('nbf')") }
        if let issued = try time("iat"), issued > now.seconds + Self.skew {
            throw Problem("it was issued in the future ('iat')")
        }
        guard try audiences().contains(audience) else { throw Problem("its audience ('aud') is not '\(audience)'") }
    }

    private func audiences() throws(Problem) -> [String] {
        switch claims["aud"] {
        case .string(let text):
            return [text]
        case .array(let elements):
            let texts = elements.compactMap { if case .string(let text) = $0 { text } else { String?.none } }
            guard texts.count == elements.count else {
                throw Problem("its claim 'aud' holds something else than texts")
            }
            return texts
        case nil:
            throw Problem("it has no claim 'aud'")
        default:
            throw Problem("its claim 'aud' is no text and no list of texts")
        }
    }

    /// Seconds since 1970, up to the year 9999; fractions are cut off.
    private func time(_ name: String) throws(Problem) -> Int64? {
        guard let value = claims[name] else { return nil }
        guard case .number(let text) = value, let seconds = Double(text), seconds >= 0, seconds < 253_402_300_800 else {
            throw Problem("its claim '\(name)' is no time in Unix seconds")
        }
        return Int64(seconds)
    }

    // MARK: - Parts

    private static func object(_ part: ArraySlice<UInt8>, _ name: String) throws(Problem) -> JSONObject {
        guard let bytes = decode(part) else { throw Problem("its \(name) is not base64url") }
        guard case .object(let object) = try? JSONValue.parse(bytes, limits: limits) else {
            throw Problem("its \(name) is no JSON object, or has a name twice")
        }
        return object
    }

    private static func decode(_ part: ArraySlice<UInt8>) -> [UInt8]? {
        part.withUnsafeBytes { Base64.decode($0, .url) }
    }

    private static func text(_ object: JSONObject, _ name: String) throws(Problem) -> String? {
        switch object[name] {
        case nil: return nil
        case .string(let text): return text
        default: throw Problem("its '\(name)' is no text")
        }
    }

    /// A token for something else, such as one that wraps another one, must not pass for an identity.
    private static func check(type header: JSONObject) throws(Problem) {
        if let type = try text(header, "typ"), !["jwt", "application/jwt"].contains(type.lowercased()) {
            throw Problem("its type is not 'JWT'")
        }
        guard header["cty"] == nil else { throw Problem("it wraps another token") }
    }
}
