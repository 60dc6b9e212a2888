/// Holds the master key, or asks a service that does: wraps and unwraps data keys, and nothing else.
///
/// The master key never encrypts a value. Several versions of it may be known; new keys are wrapped with the current
/// one, and each wrapped key says which one it needs.
///
/// Errors are `ServiceError`: `.unavailable` when the service cannot be reached, `.notFound` when it has no such version
/// of the master key, `.damaged` when the wrapped key is not genuine or belongs to another context.
package protocol KeyProvider: Sendable {
    /// The version that wraps new keys, such as a fingerprint; never secret.
    var currentVersion: String { get }

    /// A new data key of 32 bytes, with its wrapped form.
    ///
    /// - Parameter context: what the key is for; `unwrap` must be given the same.
    func makeKey(context: [UInt8]) async throws -> (key: SecretBytes, wrapped: WrappedKey)

    func wrap(_ key: SecretBytes, context: [UInt8]) async throws -> WrappedKey

    func unwrap(_ wrapped: WrappedKey, context: [UInt8]) async throws -> SecretBytes
}

/// A data key as it is stored.
package struct WrappedKey: Sendable, Equatable {
    /// The version of the master key that unwraps it.
    package let version: String
    package let bytes: [UInt8]

    package init(version: String, bytes: [UInt8]) {
        self.version = version
        self.bytes = bytes
    }
}
