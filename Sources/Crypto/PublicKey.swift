import COpenSSL
package import Kernel

/// A public key that signatures are checked with, or one that keys are encrypted for.
///
/// Its type, not the signed text, says which algorithms it takes: a key for one is never used for another.
package final class PublicKey: Sendable {
    /// What a key is, and so what it can check.
    package enum Kind: Sendable {
        case rsa
        case p256
        case p384
        case ed25519
    }

    package let kind: Kind
    /// SAFETY: never changed after it is made; OpenSSL only reads it to check a signature.
    private nonisolated(unsafe) let key: OpaquePointer

    private init?(_ kind: Kind, _ key: OpaquePointer?) {
        guard let key else { return nil }
        self.kind = kind
        self.key = key
    }

    deinit {
        EVP_PKEY_free(key)
    }

    /// The sizes of RSA keys that are used, in bits: smaller ones can be broken, larger ones cost too much to check.
    private static let rsaBits: ClosedRange<Int32> = 2048...8192

    /// An RSA key from its numbers, most significant byte first.
    ///
    /// Nil for one of less than 2048 or more than 8192 bits, and for an exponent that is even, 1, or longer than 32 bits.
    package convenience init?(rsaModulus modulus: [UInt8], exponent: [UInt8]) {
        let significant = exponent.drop { $0 == 0 }
        guard modulus.count <= 1025, (1...4).contains(significant.count), let last = significant.last, last & 1 == 1,
            Array(significant) != [1],
            let key = cairn_rsa_public_key(modulus, Int32(modulus.count), exponent, Int32(exponent.count))
        else { return nil }
        guard Self.rsaBits.contains(EVP_PKEY_get_bits(key)) else {
            EVP_PKEY_free(key)
            return nil
        }
        self.init(.rsa, key)
    }

    /// A point of the curve P-256.
    package convenience init?(p256 x: [UInt8], _ y: [UInt8]) {
        guard x.count == 32, y.count == 32 else { return nil }
        self.init(.p256, cairn_ec_public_key("P-256", [4] + x + y, 65))
    }

    /// A point of the curve P-384.
    package convenience init?(p384 x: [UInt8], _ y: [UInt8]) {
        guard x.count == 48, y.count == 48 else { return nil }
        self.init(.p384, cairn_ec_public_key("P-384", [4] + x + y, 97))
    }

    /// An Ed25519 key of 32 bytes.
    package convenience init?(ed25519 x: [UInt8]) {
        guard x.count == 32 else { return nil }
        self.init(.ed25519, EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, x, 32))
    }

    /// Encrypts a key for the holder of this one's private half: RSA-OAEP with SHA-256 (`RSA-OAEP-256` of RFC 7518).
    ///
    /// Nil for a key that is none of RSA, and for a secret that is too long for it: 190 bytes fit into 2048 bits.
    package func encrypt(_ secret: SecretBytes) -> [UInt8]? {
        guard kind == .rsa else { return nil }
        var count = Int(EVP_PKEY_get_size(key))
        var output = [UInt8](repeating: 0, count: count)
        let isGood = secret.withUnsafeBytes { secret in
            cairn_rsa_oaep_sha256(
                key,
                secret.assumingMemoryBound(to: UInt8.self).baseAddress,
                secret.count,
                &output,
                &count
            )
        }
        return isGood == 1 ? Array(output[..<count]) : nil
    }

    /// Whether `signature` is that of `message`; false as well for an algorithm that is not for this kind of key.
    package func isSignature(_ signature: [UInt8], of message: [UInt8], by algorithm: SignatureAlgorithm) -> Bool {
        guard algorithm.kind == kind else { return false }
        switch kind {
        case .rsa:
            let isPSS: Int32 = algorithm.isPSS ? 1 : 0
            return cairn_verify(key, algorithm.digest, isPSS, signature, signature.count, message, message.count) == 1
        case .p256, .p384:
            let half = kind == .p256 ? 32 : 48
            guard signature.count == 2 * half else { return false }
            return cairn_verify_ec(key, algorithm.digest, signature, Int32(half), message, message.count) == 1
        case .ed25519:
            guard signature.count == 64 else { return false }
            return cairn_verify(key, nil, 0, signature, signature.count, message, message.count) == 1
        }
    }
}

/// The algorithms of signatures that are taken, by the words of RFC 7518 and RFC 8037.
///
/// `none` and those with a shared secret are not among them, and never are: who checks has no secret of the issuer's.
package enum SignatureAlgorithm: String, Sendable, CaseIterable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case edDSA = "EdDSA"

    /// The only kind of key that it works with.
    package var kind: PublicKey.Kind {
        switch self {
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: .rsa
        case .es256: .p256
        case .es384: .p384
        case .edDSA: .ed25519
        }
    }

    fileprivate var isPSS: Bool {
        switch self {
        case .ps256, .ps384, .ps512: true
        default: false
        }
    }

    fileprivate var digest: String? {
        switch self {
        case .rs256, .ps256, .es256: "SHA2-256"
        case .rs384, .ps384, .es384: "SHA2-384"
        case .rs512, .ps512: "SHA2-512"
        case .edDSA: nil
        }
    }
}
