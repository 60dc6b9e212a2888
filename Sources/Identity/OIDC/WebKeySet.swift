import Contract
import Crypto
import Kernel

/// The public keys of an issuer: a JWK set (RFC 7517).
struct WebKeySet: Sendable {
    struct Key: Sendable {
        let id: String?
        /// The only algorithm it is for; nil for every one of its kind.
        let algorithm: String?
        let key: PublicKey
    }

    private static let mostKeys = 100

    let keys: [Key]
    /// Whether a private or shared key stands in it, which never should have left its owner.
    let holdsSecrets: Bool

    /// Nil for what is no JWK set.
    ///
    /// Keys that cannot be used are passed over: of another kind, too small, or for something else than signatures.
    init?(_ text: [UInt8]) {
        let limits = JSONLimits(bytes: 262_144, depth: 16, values: 20_000)
        guard case .object(let object) = try? JSONValue.parse(text, limits: limits),
            case .array(let elements) = object["keys"], elements.count <= Self.mostKeys
        else { return nil }
        let objects = elements.compactMap { element in
            if case .object(let object) = element { object } else { JSONObject?.none }
        }
        keys = objects.compactMap(Key.init)
        holdsSecrets = objects.contains { $0["d"] != nil || $0["k"] != nil }
    }

    /// The keys that may have signed a token.
    ///
    /// A token that names its key is checked with that one only; one that names none, with the only key there is.
    func candidates(id: String?, algorithm: SignatureAlgorithm) -> [PublicKey] {
        let fitting = keys.filter { key in
            key.key.kind == algorithm.kind && (key.algorithm ?? algorithm.rawValue) == algorithm.rawValue
        }
        guard let id else { return fitting.count == 1 ? fitting.map(\.key) : [] }
        return fitting.filter { $0.id == id }.map(\.key)
    }
}

extension WebKeySet.Key {
    init?(_ object: JSONObject) {
        func text(_ name: String) -> String? {
            if case .string(let text) = object[name] { text } else { nil }
        }
        func bytes(_ name: String) -> [UInt8]? {
            text(name).flatMap { Base64.decode($0, .url) }
        }
        guard (text("use") ?? "sig") == "sig" else { return nil }
        if case .array(let uses) = object["key_ops"], !uses.contains(.string("verify")) { return nil }
        let key: PublicKey?
        switch (text("kty"), text("crv")) {
        case ("RSA", _):
            guard let modulus = bytes("n"), let exponent = bytes("e") else { return nil }
            key = PublicKey(rsaModulus: modulus, exponent: exponent)
        case ("EC", "P-256"):
            guard let x = bytes("x"), let y = bytes("y") else { return nil }
            key = PublicKey(p256: x, y)
        case ("EC", "P-384"):
            guard let x = bytes("x"), let y = bytes("y") else { return nil }
            key = PublicKey(p384: x, y)
        case ("OKP", "Ed25519"):
            guard let x = bytes("x") else { return nil }
            key = PublicKey(ed25519: x)
        default:
            return nil
        }
        guard let key else { return nil }
        self.key = key
        id = text("kid")
        algorithm = text("alg")
    }
}
