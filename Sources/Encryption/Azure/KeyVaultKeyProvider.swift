package import CloudAccess
import Contract
import Crypto
package import Kernel
package import OutboundHTTP

/// The master key in Azure Key Vault: an RSA key whose private half never leaves it.
///
/// Keys are wrapped here, with the public half: AES-256-GCM under a new key, and that one by RSA-OAEP-256. Only unwrapping
/// asks the vault. The version of a wrapped key is `azure:` and the key's version in the vault.
///
/// Without a version in the settings new keys are wrapped with the newest one, which is looked up every two hours or so;
/// older versions have to stay enabled.
package final class KeyVaultKeyProvider: KeyProvider {
    /// A version of the key that wraps.
    private struct Wrapping: Sendable {
        let version: String
        let key: PublicKey
    }

    private static let prefix = "azure:"

    private let vault: KeyVault
    private let wrapping: Renewed<Wrapping>
    private let current = Locked("")

    private init(_ vault: KeyVault, version: String?, effects: Effects) {
        self.vault = vault
        let name = "the key \(vault.key) of Azure Key Vault"
        wrapping = Renewed(name, effects: effects, margin: .seconds(3600)) {
            let found = try await Self.load(vault, version)
            return (found, effects.now().advanced(by: .seconds(3 * 3600)))
        }
    }

    /// Connects, and proves with a round trip that the key can be used.
    ///
    /// - Parameters:
    ///   - uri: of the vault, such as `https://name.vault.azure.net`.
    ///   - key: its name in the vault.
    ///   - version: nil for the newest one.
    /// - Throws: `ServiceError` with `.unavailable`, which names what is missing.
    package static func open(
        _ uri: String,
        key: String,
        version: String?,
        credential: AzureCredential,
        client: ServiceClient,
        effects: Effects,
        clock: any Clock<Duration> = ContinuousClock(),
        patience: KeyServicePatience = .standard
    ) async throws -> KeyVaultKeyProvider {
        guard let address = ServiceAddress(uri) else {
            throw ServiceError(.invalidArgument, "'\(uri)' is no URL of an Azure Key Vault")
        }
        let vault = KeyVault(
            address,
            key: key,
            credential: credential,
            client: client,
            clock: clock,
            patience: patience
        )
        let provider = KeyVaultKeyProvider(vault, version: version, effects: effects)
        let context = Array("probe/v1".utf8)
        let (made, wrapped) = try await provider.makeKey(context: context)
        let opened: SecretBytes
        do {
            opened = try await provider.unwrap(wrapped, context: context)
        } catch let error as ServiceError where error.code == .notFound {
            throw ServiceError.unavailable(error.message, cause: error)
        }
        guard ConstantTime.equal(made, opened) else {
            throw ServiceError.unavailable("Azure Key Vault at \(uri) decrypts with another key than \(key)")
        }
        return provider
    }

    // MARK: - KeyProvider

    package var currentVersion: String { current.withLock { $0 } }

    package func makeKey(context: [UInt8]) async throws -> (key: SecretBytes, wrapped: WrappedKey) {
        let key = Random.key()
        return (key, try await wrap(key, context: context))
    }

    package func wrap(_ key: SecretBytes, context: [UInt8]) async throws -> WrappedKey {
        let wrapping = try await wrapping.value()
        let version = Self.prefix + wrapping.version
        current.withLock { $0 = version }
        let outer = Random.key()
        guard let blob = wrapping.key.encrypt(outer) else {
            throw ServiceError.unavailable("The key \(vault.key) of Azure Key Vault cannot encrypt")
        }
        return WrappedKey(version: version, bytes: NestedKey.seal(key, under: outer, blob, context: context))
    }

    package func unwrap(_ wrapped: WrappedKey, context: [UInt8]) async throws -> SecretBytes {
        let version = wrapped.version.dropFirst(Self.prefix.count)
        guard wrapped.version.hasPrefix(Self.prefix), Self.isVersion(String(version)) else {
            throw ServiceError(.notFound, "The key was not wrapped by Azure Key Vault, but by \(wrapped.version)")
        }
        guard let nested = NestedKey(wrapped.bytes) else { throw ServiceError.damagedKey(nil) }
        let outer: SecretBytes
        do {
            outer = try await vault.decrypt(nested.blob, version: String(version))
        } catch let refusal as KeyVault.Refusal {
            throw Self.error(refusal, vault, String(version), "decrypt")
        }
        return try nested.open(with: outer, context: context)
    }

    /// Versions are 32 letters and digits; nothing else goes into a URL.
    static func isVersion(_ text: String) -> Bool {
        text.utf8.count == 32
            && text.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) || (65...90).contains($0) }
    }

    /// What names of keys are made of.
    static func isName(_ text: String) -> Bool {
        (1...127).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (48...57).contains($0) || (97...122).contains($0) || (65...90).contains($0) || $0 == UInt8(ascii: "-")
            }
    }

    // MARK: - The key

    private static func load(_ vault: KeyVault, _ version: String?) async throws -> Wrapping {
        let object: JSONObject
        do {
            object = try await vault.get(version: version)
        } catch let refusal as KeyVault.Refusal {
            throw error(refusal, vault, version, "get")
        }
        let name = "The key \(vault.key) of Azure Key Vault at \(vault.address.url)"
        guard case .object(let key)? = object["key"], let kind = text("kty", key), let id = text("kid", key) else {
            throw ServiceError.unavailable("\(name) is described in a way that is not known")
        }
        guard kind == "RSA" || kind == "RSA-HSM" else {
            throw ServiceError.unavailable("\(name) is of the type \(kind); it must be an RSA key")
        }
        guard case .object(let attributes)? = object["attributes"], attributes["enabled"] != .bool(false) else {
            throw ServiceError.unavailable("\(name) is disabled")
        }
        let missing = ["encrypt", "decrypt"].filter { !operations(key).contains($0) }
        guard missing.isEmpty else {
            throw ServiceError.unavailable("\(name) is not permitted to \(missing.joined(separator: " and to "))")
        }
        guard let modulus = text("n", key).flatMap({ Base64.decode($0, .url) }),
            let exponent = text("e", key).flatMap({ Base64.decode($0, .url) }),
            let publicKey = PublicKey(rsaModulus: modulus, exponent: exponent)
        else { throw ServiceError.unavailable("\(name) cannot be used; it must have 2048 bits or more") }
        let last = id.split(separator: "/").last.map { String($0) } ?? ""
        guard isVersion(last) else { throw ServiceError.unavailable("\(name) has no version") }
        return Wrapping(version: last, key: publicKey)
    }

    private static func operations(_ key: JSONObject) -> [String] {
        guard case .array(let values)? = key["key_ops"] else { return [] }
        return values.compactMap { if case .string(let text) = $0 { text } else { nil } }
    }

    private static func text(_ name: String, _ object: JSONObject) -> String? {
        if case .string(let text)? = object[name] { text } else { nil }
    }

    // MARK: - Errors

    private static func error(
        _ refusal: KeyVault.Refusal,
        _ vault: KeyVault,
        _ version: String?,
        _ action: String
    ) -> ServiceError {
        let which = version.map { "\(vault.key), version \($0)," } ?? vault.key
        let what = "The key \(which) of Azure Key Vault at \(vault.address.url)"
        switch (refusal.status, refusal.code) {
        case (400, "BadParameter") where action == "decrypt": return .damagedKey(refusal)
        case (404, _):
            let text = "\(what) does not exist; a deleted one can be recovered for some time"
            return ServiceError(action == "decrypt" ? .notFound : .unavailable, text, cause: refusal)
        case (403, "KeyDisabled"): return .unavailable("\(what) is disabled", cause: refusal)
        case (401, _): return .unavailable("\(what): the token is refused: \(refusal)", cause: refusal)
        case (403, _):
            return .unavailable("\(what): this identity may not use keys/\(action): \(refusal)", cause: refusal)
        case (429, _): return .unavailable("\(what): too many requests; try again", cause: refusal)
        default: return .unavailable("\(what): \(action) fails: \(refusal)", cause: refusal)
        }
    }
}
