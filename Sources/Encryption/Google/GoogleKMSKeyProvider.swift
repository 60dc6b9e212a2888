package import CloudAccess
import Contract
import Crypto
package import Kernel
package import OutboundHTTP
import Transfers

/// The master key in Cloud KMS of Google, which never leaves it.
///
/// KMS encrypts and decrypts data keys, with what they are for as additional authenticated data. It finds the version
/// that encrypted something by itself, so rotation needs nothing.
///
/// The version of a wrapped key is `google:`, a fingerprint of the key's name, and the number of its version there.
package final class GoogleKMSKeyProvider: KeyProvider {
    private let name: String
    private let prefix: String
    private let address: ServiceAddress
    private let credential: GoogleCredential
    private let client: ServiceClient
    private let clock: any Clock<Duration>
    private let patience: KeyServicePatience
    private let current = Locked("")

    private init(
        _ name: String,
        at address: ServiceAddress,
        credential: GoogleCredential,
        client: ServiceClient,
        clock: any Clock<Duration>,
        patience: KeyServicePatience
    ) {
        self.name = name
        self.address = address
        self.credential = credential
        self.client = client
        self.clock = clock
        self.patience = patience
        prefix = "google:\(SHA256.hash(Array(name.utf8)).hex.prefix(16))/"
    }

    /// Connects, and proves with a round trip that the key can be used.
    ///
    /// - Parameter name: `projects/…/locations/…/keyRings/…/cryptoKeys/…`.
    /// - Throws: `ServiceError` with `.unavailable`, which names the permission that is missing.
    package static func open(
        _ name: String,
        at address: ServiceAddress,
        credential: GoogleCredential,
        client: ServiceClient,
        clock: any Clock<Duration> = ContinuousClock(),
        patience: KeyServicePatience = .standard
    ) async throws -> GoogleKMSKeyProvider {
        let provider = GoogleKMSKeyProvider(
            name,
            at: address,
            credential: credential,
            client: client,
            clock: clock,
            patience: patience
        )
        _ = try await provider.probe(otherwise: "Cloud KMS decrypts with another key than \(name)")
        return provider
    }

    /// Whether it is the full name of a key.
    static func isName(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 8
            && [0, 2, 4, 6].map { parts[$0] } == ["projects", "locations", "keyRings", "cryptoKeys"]
            && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(isNameByte) }
    }

    /// Projects of older organizations have a domain with a colon before their name.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        (48...58).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
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
        guard let ciphertext = Self.bytes("ciphertext", answer), case .string(let used)? = answer["name"],
            used.hasPrefix("\(name)/cryptoKeyVersions/"), let number = used.split(separator: "/").last
        else { throw ServiceError.unavailable("Cloud KMS answers without a wrapped key of \(name)") }
        let version = prefix + number
        current.withLock { $0 = version }
        return WrappedKey(version: version, bytes: ciphertext)
    }

    package func unwrap(_ wrapped: WrappedKey, context: [UInt8]) async throws -> SecretBytes {
        guard wrapped.version.hasPrefix(prefix) else {
            throw ServiceError(.notFound, "The key was not wrapped by \(name) of Cloud KMS, but by \(wrapped.version)")
        }
        guard !wrapped.bytes.isEmpty else { throw ServiceError.damagedKey(nil) }
        let answer = try await call("decrypt", "ciphertext", Base64.encode(wrapped.bytes), context)
        guard var bytes = Self.bytes("plaintext", answer) else {
            throw ServiceError.unavailable("Cloud KMS answers without a key of \(name)")
        }
        return SecretBytes(wiping: &bytes)
    }

    // MARK: - Calls

    private func call(_ action: String, _ field: StaticString, _ text: String, _ context: [UInt8]) async throws
        -> JSONObject
    {
        // It has a patience of its own: it is renewed long before it is needed.
        let token = try await credential.token()
        let body = try RawJSON { json in
            json.beginObject()
            json.field(field, string: text)
            json.field("additionalAuthenticatedData", string: Base64.encode(context))
            json.endObject()
        }
        let request = TransferRequest(
            "POST",
            "\(address.url)/v1/\(name):\(action)",
            headers: [("Authorization", "Bearer \(token.reveal())"), ("Content-Type", "application/json")],
            body: body.bytes
        )
        let service = "Cloud KMS at \(address.url)"
        let late = ServiceError.unavailable("\(service) does not answer in time")
        let response = try await Deadline.run(within: patience.now.limit, clock: clock, orThrow: late) {
            [client, patience] in
            try await client.send(to: service, patience.now.service) { request }
        }
        let object: JSONObject
        if case .object(let read)? = try? JSONValue.parse(response.body) {
            object = read
        } else {
            object = JSONObject([])
        }
        guard response.status == 200 else { throw error(response.status, object, action) }
        return object
    }

    private static func bytes(_ name: String, _ object: JSONObject) -> [UInt8]? {
        guard case .string(let text)? = object[name] else { return nil }
        return Base64.decode(text)
    }

    private func error(_ status: Int, _ object: JSONObject, _ action: String) -> ServiceError {
        var (code, text) = ("status \(status)", "")
        if case .object(let error)? = object["error"] {
            if case .string(let name)? = error["status"] { code = name }
            if case .string(let message)? = error["message"] { text = message }
        }
        let what = "The key \(name) of Cloud KMS"
        let permission = action == "encrypt" ? "useToEncrypt" : "useToDecrypt"
        switch code {
        case "INVALID_ARGUMENT" where action == "decrypt": return .damagedKey(nil)
        case "NOT_FOUND": return .unavailable("\(what) does not exist")
        case "PERMISSION_DENIED":
            return .unavailable("\(what): this account may not use cloudkms.cryptoKeyVersions.\(permission): \(text)")
        case "FAILED_PRECONDITION": return .unavailable("\(what) cannot \(action): \(text)")
        case "RESOURCE_EXHAUSTED": return .unavailable("\(what): too many requests; try again")
        case "UNAUTHENTICATED": return .unavailable("\(what): the token is refused: \(text)")
        default: return .unavailable("\(what): \(action) fails: \(code): \(text)")
        }
    }
}
