import Crypto
import Kernel

extension KeyProvider {
    /// Proves with a round trip that the key can be used.
    ///
    /// - Parameter message: what the operator is told when another key comes back than was made.
    /// - Returns: the key that was made for it, wrapped for the context `probe/v1`.
    /// - Throws: what the provider throws, and `ServiceError` with `.unavailable`.
    func probe(otherwise message: String) async throws -> WrappedKey {
        let context = Array("probe/v1".utf8)
        let (made, wrapped) = try await makeKey(context: context)
        let opened = try await unwrap(wrapped, context: context)
        guard ConstantTime.equal(made, opened) else { throw ServiceError.unavailable(message) }
        return wrapped
    }
}
