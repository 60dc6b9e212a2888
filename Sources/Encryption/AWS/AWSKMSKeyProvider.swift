package import CloudAccess
import Contract
import Crypto
package import Kernel
package import OutboundHTTP

/// The master key in AWS KMS, which never leaves it.
///
/// Data keys are made by `GenerateDataKey` or, where only that is permitted, by `GenerateDataKeyWithoutPlaintext` and
/// `Decrypt`; they are unwrapped by `Decrypt`. A key that exists already is wrapped with AES-256-GCM under a key made in
/// the same way, so nobody needs the permission for `Encrypt`. What a key is for is KMS's encryption context, which its
/// logs show.
///
/// The version of a wrapped key is the ARN of the key as KMS has named it. A rotation inside KMS changes no ARN.
package struct AWSKMSKeyProvider: KeyProvider {
    /// The first byte of what is KMS's own ciphertext for the rest.
    private static let direct: UInt8 = 1

    private let kms: AWSKMS
    private let key: AWSKey
    private let region: String
    /// The ARN of the key; learned at the start.
    package private(set) var currentVersion = ""

    private init(_ kms: AWSKMS, _ key: AWSKey, region: String) {
        self.kms = kms
        self.key = key
        self.region = region
    }

    /// Connects, and proves with a round trip that the key can be used.
    ///
    /// - Parameters:
    ///   - name: id, `alias/…`, or the ARN of either.
    ///   - region: of a key that is not named by an ARN.
    /// - Throws: `ServiceError` with `.unavailable`, which names the permission that is missing.
    package static func open(
        _ name: String,
        region: String?,
        configuration: AWSConfiguration,
        credentials: any AWSCredentialSource,
        client: ServiceClient,
        effects: Effects,
        clock: any Clock<Duration> = ContinuousClock(),
        patience: KeyServicePatience = .standard
    ) async throws -> AWSKMSKeyProvider {
        guard let key = AWSKey(name), let region = key.region ?? region else {
            throw ServiceError(.invalidArgument, "The key \(name) of AWS KMS has no region: set AWS_REGION")
        }
        let kms = AWSKMS(
            configuration,
            credentials: credentials,
            client: client,
            effects: effects,
            clock: clock,
            patience: patience
        )
        var provider = AWSKMSKeyProvider(kms, key, region: region)
        let wrapped = try await provider.probe(
            otherwise: "AWS KMS gives another data key than it made with \(name)"
        )
        provider.currentVersion = wrapped.version
        return provider
    }

    // MARK: - KeyProvider

    package func makeKey(context: [UInt8]) async throws -> (key: SecretBytes, wrapped: WrappedKey) {
        let made = try await generate(context)
        return (made.key, WrappedKey(version: made.version, bytes: [Self.direct] + made.blob))
    }

    package func wrap(_ key: SecretBytes, context: [UInt8]) async throws -> WrappedKey {
        let outer = try await generate(context)
        let bytes = NestedKey.seal(key, under: outer.key, outer.blob, context: context)
        return WrappedKey(version: outer.version, bytes: bytes)
    }

    package func unwrap(_ wrapped: WrappedKey, context: [UInt8]) async throws -> SecretBytes {
        guard wrapped.version.hasPrefix("arn:"), let version = AWSKey(wrapped.version), version.region != nil else {
            throw ServiceError(.notFound, "The key was not wrapped by AWS KMS, but by \(wrapped.version)")
        }
        if wrapped.bytes.first == Self.direct {
            return try await decrypt(Array(wrapped.bytes.dropFirst()), version, context)
        }
        guard let nested = NestedKey(wrapped.bytes) else { throw ServiceError.damagedKey(nil) }
        return try nested.open(with: try await decrypt(nested.blob, version, context), context: context)
    }

    // MARK: - Actions

    private func generate(_ context: [UInt8]) async throws -> (key: SecretBytes, blob: [UInt8], version: String) {
        do {
            let (key, blob, version) = try await generate("GenerateDataKey", context)
            if let key { return (key, blob, version) }
        } catch let refusal as AWSRefusal where refusal.code == "AccessDeniedException" {
            // The vendor's older policies permit only the other action; when that is denied too, this one is missing.
            do {
                let (_, blob, version) = try await generate("GenerateDataKeyWithoutPlaintext", context)
                guard let key = AWSKey(version) else { throw refusal }
                return (try await decrypt(blob, key, context), blob, version)
            } catch let second as AWSRefusal {
                throw error(second.code == refusal.code ? refusal : second, "GenerateDataKey", key.name)
            }
        } catch let refusal as AWSRefusal {
            throw error(refusal, "GenerateDataKey", key.name)
        }
        throw ServiceError.unavailable("AWS KMS answers kms:GenerateDataKey without a key")
    }

    private func generate(
        _ action: String,
        _ context: [UInt8]
    ) async throws -> (key: SecretBytes?, blob: [UInt8], version: String) {
        let body = try body(key.name, context) { json in json.field("KeySpec", string: "AES_256") }
        let answer = try await kms.call(action, in: region, body)
        guard let blob = Self.bytes("CiphertextBlob", answer), !blob.isEmpty, blob.count < 1 << 16,
            let version = AWSKMS.text("KeyId", answer), version.hasPrefix("arn:")
        else { throw ServiceError.unavailable("AWS KMS answers kms:\(action) without a wrapped key") }
        var plaintext = Self.bytes("Plaintext", answer)
        return (plaintext?.count == 32 ? plaintext.take().map { Self.secret($0) } : nil, blob, version)
    }

    private func decrypt(_ blob: [UInt8], _ version: AWSKey, _ context: [UInt8]) async throws -> SecretBytes {
        let key = holder(of: version)
        let body = try body(key.name, context) { json in json.field("CiphertextBlob", string: Base64.encode(blob)) }
        do {
            let answer = try await kms.call("Decrypt", in: key.region ?? region, body)
            guard let plaintext = Self.bytes("Plaintext", answer) else {
                throw ServiceError.unavailable("AWS KMS answers kms:Decrypt without a key")
            }
            return Self.secret(plaintext)
        } catch let refusal as AWSRefusal {
            throw error(refusal, "Decrypt", key.name)
        }
    }

    /// The key that opens what a version has wrapped: that one itself, whatever an alias names by now, or its copy in the
    /// region of ours.
    private func holder(of version: AWSKey) -> AWSKey {
        guard let current = AWSKey(currentVersion), current.isCopy(of: version) else { return version }
        return current
    }

    private func body(
        _ name: String,
        _ context: [UInt8],
        _ more: (inout JSONWriter) -> Void
    ) throws -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.field("KeyId", string: name)
        json.name("EncryptionContext")
        json.beginObject()
        json.field("cairn", string: Base64.encode(context))
        json.endObject()
        more(&json)
        json.endObject()
        return try json.finish()
    }

    private static func bytes(_ name: String, _ object: JSONObject) -> [UInt8]? {
        AWSKMS.text(name, object).flatMap { Base64.decode($0) }
    }

    private static func secret(_ bytes: consuming [UInt8]) -> SecretBytes {
        SecretBytes(wiping: &bytes)
    }

    // MARK: - Errors

    private func error(_ refusal: AWSRefusal, _ action: String, _ name: String) -> ServiceError {
        let what = "AWS KMS key \(name)"
        switch refusal.code {
        case "InvalidCiphertextException", "IncorrectKeyException": return .damagedKey(refusal)
        case "NotFoundException":
            return ServiceError(
                action == "Decrypt" ? .notFound : .unavailable,
                "\(what) does not exist",
                cause: refusal
            )
        case "AccessDeniedException":
            return .unavailable("\(what): these credentials may not use kms:\(action)", cause: refusal)
        case "DisabledException": return .unavailable("\(what) is disabled", cause: refusal)
        case "KMSInvalidStateException":
            return .unavailable("\(what) cannot be used for kms:\(action): \(refusal.text)", cause: refusal)
        case "InvalidKeyUsageException":
            return .unavailable("\(what) is none that encrypts symmetrically", cause: refusal)
        case "ThrottlingException", "LimitExceededException":
            return .unavailable("\(what): too many requests; try again", cause: refusal)
        case "UnrecognizedClientException", "InvalidSignatureException", "SignatureDoesNotMatch",
            "IncompleteSignatureException", "MissingAuthenticationTokenException", "ExpiredTokenException":
            return .unavailable("\(what): the credentials are refused: \(refusal)", cause: refusal)
        default:
            return .unavailable("\(what): kms:\(action) fails: \(refusal)", cause: refusal)
        }
    }
}
