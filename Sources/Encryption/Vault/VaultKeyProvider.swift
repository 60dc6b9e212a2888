package import CloudAccess
import Contract
import Crypto
package import Kernel
import OutboundHTTP

/// The master key in the transit engine of HashiCorp Vault, or OpenBao, which never leaves it.
///
/// Vault encrypts and decrypts data keys, with what they are for as associated data; the kinds of keys that take such
/// are `aes256-gcm96`, which is its default, `aes128-gcm96` and the two `chacha20-poly1305`. Rotation needs nothing:
/// older versions open what they have wrapped, until `min_decryption_version` shuts them out.
///
/// The version of a wrapped key is `vault:`, a fingerprint of the key's name, and the number of its version there.
package final class VaultKeyProvider: KeyProvider {
    private let key: VaultKey
    private let prefix: String
    private let vault: VaultAccess
    private let clock: any Clock<Duration>
    private let patience: KeyServicePatience
    private let current = Locked("")

    private init(_ key: VaultKey, in vault: VaultAccess, clock: any Clock<Duration>, patience: KeyServicePatience) {
        self.key = key
        self.vault = vault
        self.clock = clock
        self.patience = patience
        prefix = "vault:\(SHA256.hash(Array(key.description.utf8)).hex.prefix(16))/"
    }

    /// Connects, and proves with a round trip that the key can be used and heeds what a data key is for.
    ///
    /// - Throws: `ServiceError` with `.unavailable`, which says what is missing.
    package static func open(
        _ key: VaultKey,
        in vault: VaultAccess,
        clock: any Clock<Duration> = ContinuousClock(),
        patience: KeyServicePatience = .standard
    ) async throws -> VaultKeyProvider {
        let provider = VaultKeyProvider(key, in: vault, clock: clock, patience: patience)
        let wrapped = try await provider.probe(otherwise: "\(vault.name) decrypts with another key than \(key)")
        do {
            _ = try await provider.unwrap(wrapped, context: Array("probe/v2".utf8))
        } catch let error as ServiceError where error.code == .damaged {
            return provider
        }
        throw ServiceError.unavailable(
            "\(vault.name) is older than 1.9 and ignores associated data, so that it would open a data key that was "
                + "put in another one's place; update it"
        )
    }

    // MARK: - KeyProvider

    package var currentVersion: String { current.withLock { $0 } }

    package func makeKey(context: [UInt8]) async throws -> (key: SecretBytes, wrapped: WrappedKey) {
        let key = Random.key()
        return (key, try await wrap(key, context: context))
    }

    package func wrap(_ key: SecretBytes, context: [UInt8]) async throws -> WrappedKey {
        let text = key.withUnsafeBytes { Base64.encode(Array($0)) }
        let answer = try await call("encrypt", "plaintext", text, context)
        guard let ciphertext = answer[text: "ciphertext"], let (number, bytes) = Self.parts(of: ciphertext) else {
            throw ServiceError.unavailable("\(vault.name) answers without a wrapped key of \(self.key)")
        }
        let version = prefix + number
        current.withLock { $0 = version }
        return WrappedKey(version: version, bytes: bytes)
    }

    package func unwrap(_ wrapped: WrappedKey, context: [UInt8]) async throws -> SecretBytes {
        guard wrapped.version.hasPrefix(prefix) else {
            let what = "The key was not wrapped by \(key) of \(vault.name), but by \(wrapped.version)"
            throw ServiceError(.notFound, what)
        }
        let number = wrapped.version.dropFirst(prefix.count)
        guard !wrapped.bytes.isEmpty else { throw ServiceError.damagedKey(nil) }
        let answer = try await call(
            "decrypt",
            "ciphertext",
            "vault:v\(number):\(Base64.encode(wrapped.bytes))",
            context
        )
        guard let text = answer[text: "plaintext"], var bytes = Base64.decode(text) else {
            throw ServiceError.unavailable("\(vault.name) answers without a key of \(key)")
        }
        return SecretBytes(wiping: &bytes)
    }

    /// The number of the version and the bytes of `vault:v1:…`.
    private static func parts(of ciphertext: String) -> (number: String, bytes: [UInt8])? {
        let parts = ciphertext.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "vault", parts[1].hasPrefix("v"), let number = Int(parts[1].dropFirst()),
            number > 0, let bytes = Base64.decode(String(parts[2])), !bytes.isEmpty
        else { return nil }
        return ("\(number)", bytes)
    }

    // MARK: - Calls

    private func call(_ action: String, _ field: StaticString, _ text: String, _ context: [UInt8]) async throws
        -> JSONObject
    {
        // It has a patience of its own: a token is come by long before it is needed.
        try await vault.logIn()
        let late = ServiceError.unavailable("\(vault.name) does not answer in time")
        let answer = try await Deadline.run(within: patience.now.limit, clock: clock, orThrow: late) {
            [vault, key, patience] in
            let fields = [(name: field, value: text), ("associated_data", Base64.encode(context))]
            return try await vault.write("\(key.mount)/\(action)/\(key.name)", fields, patience.now.service)
        }
        guard let data = answer.object("data") else { throw error(answer, action) }
        return data
    }

    /// What Vault says when a ciphertext is not its own; older ones call it an error of the server.
    private static let damaged = ["message authentication failed", "invalid ciphertext", "unable to decrypt"]

    private func error(_ answer: VaultAccess.Answer, _ action: String) -> ServiceError {
        let what = "The key \(key) of \(vault.name)"
        let text = answer.errors
        if action == "decrypt", text.contains("too old") || text.contains("disallowed by policy") {
            return .unavailable(
                "\(what) may no longer decrypt with an older version, by min_decryption_version: \(text)"
            )
        }
        if action == "decrypt", Self.damaged.contains(where: text.contains) { return .damagedKey(nil) }
        switch answer.status {
        case 400 where text.contains("not found"): return .unavailable("\(what) does not exist")
        case 403:
            return .unavailable(
                "\(what): the token has ended, or its policy lacks update on \(key.mount)/\(action)/\(key.name): \(text)"
            )
        case 404: return .unavailable("\(what): there is no transit engine at \(key.mount)/")
        case 429: return .unavailable("\(what): too many requests; try again")
        case 503: return .unavailable("\(what) cannot be used now: \(text.isEmpty ? "status 503" : text)")
        default:
            return .unavailable("\(what): \(action) fails: \(text.isEmpty ? "status \(answer.status)" : text)")
        }
    }
}
