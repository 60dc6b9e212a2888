package import Kernel

/// A master key, and another one that still opens what it wrapped: for the time in which one follows the other.
package struct KeySuccession: KeyProvider {
    private let current: any KeyProvider
    private let other: any KeyProvider

    /// - Parameters:
    ///   - current: wraps new keys.
    ///   - other: opens what `current` does not know; wraps nothing.
    package init(current: any KeyProvider, other: any KeyProvider) {
        self.current = current
        self.other = other
    }

    package var currentVersion: String { current.currentVersion }

    package func makeKey(context: [UInt8]) async throws -> (key: SecretBytes, wrapped: WrappedKey) {
        try await current.makeKey(context: context)
    }

    package func wrap(_ key: SecretBytes, context: [UInt8]) async throws -> WrappedKey {
        try await current.wrap(key, context: context)
    }

    package func unwrap(_ wrapped: WrappedKey, context: [UInt8]) async throws -> SecretBytes {
        do {
            return try await current.unwrap(wrapped, context: context)
        } catch let error as ServiceError where error.code == .notFound {
            return try await other.unwrap(wrapped, context: context)
        }
    }
}
