import Crypto
package import Kernel

/// The master key in a file of this machine.
///
/// Keys are wrapped with AES-256-GCM under HKDF-SHA-256(master key, no salt, `kek/v1`): a version byte, the nonce, the
/// ciphertext and the tag.
package struct LocalKeyProvider: KeyProvider {
    /// One master key that is known.
    private struct Master: Sendable {
        let version: String
        let wrapping: SecretBytes

        init(_ secret: SecretBytes) {
            wrapping = HKDF.key(from: secret, salt: [], info: "kek/v1")
            let name = HKDF.key(from: secret, salt: [], info: "fingerprint/v1", count: 8)
            version = "local:\(name.withUnsafeBytes { Hex.encode($0) })"
        }
    }

    private static let format: UInt8 = 1
    private static let nonce = 1..<13

    private let current: Master
    /// The current one included.
    private let all: [String: Master]

    /// - Parameters:
    ///   - current: wraps new keys.
    ///   - older: still unwrap the keys that were wrapped with them.
    package init(current: SecretBytes, older: [SecretBytes] = []) {
        self.current = Master(current)
        let masters = older.map(Master.init) + [self.current]
        all = Dictionary(masters.map { ($0.version, $0) }) { $1 }
    }

    package var currentVersion: String { current.version }

    package func makeKey(context: [UInt8]) async throws -> (key: SecretBytes, wrapped: WrappedKey) {
        let key = Random.key()
        return (key, try await wrap(key, context: context))
    }

    package func wrap(_ key: SecretBytes, context: [UInt8]) async throws -> WrappedKey {
        let nonce = Random.bytes(AES256GCM.nonceCount)
        var plaintext = key.withUnsafeBytes { Array($0) }
        let sealed = AES256GCM.seal(plaintext, key: current.wrapping, nonce: nonce, context: context)
        plaintext.withUnsafeMutableBytes { SecretBytes.wipe($0) }
        return WrappedKey(version: current.version, bytes: [Self.format] + nonce + sealed)
    }

    package func unwrap(_ wrapped: WrappedKey, context: [UInt8]) async throws -> SecretBytes {
        guard let master = all[wrapped.version] else {
            throw ServiceError(.notFound, "The master key that is needed is not here", cause: Missing(wrapped.version))
        }
        let bytes = wrapped.bytes
        guard bytes.count >= Self.nonce.upperBound + AES256GCM.tagCount, bytes[0] == Self.format,
            let key = AES256GCM.open(
                Array(bytes[Self.nonce.upperBound...]),
                key: master.wrapping,
                nonce: Array(bytes[Self.nonce]),
                context: context
            )
        else { throw ServiceError(.damaged, "A wrapped key is damaged or belongs elsewhere") }
        return key
    }

    /// For the log: which key is missing.
    ///
    /// A fingerprint is not secret.
    private struct Missing: Error, CustomStringConvertible {
        let description: String

        init(_ version: String) {
            description = "no master key has the fingerprint \(version)"
        }
    }
}
