import Crypto
package import Kernel

/// URLs of Cloud Storage that whoever has them may use until they end.
///
/// Source: "V4 signing process" of the vendor's documentation; proved by what its library makes.
package struct GoogleURLSigner: Sendable {
    /// The longest life that the service takes.
    package static let longestLife = Duration.seconds(7 * 86_400)

    private enum Key {
        case file(GoogleServiceAccount)
        case service(GoogleBlobSigner)
    }

    private let key: Key

    private static let algorithm = "GOOG4-RSA-SHA256"

    package init(_ account: GoogleServiceAccount) {
        key = .file(account)
    }

    init(_ service: GoogleBlobSigner) {
        key = .service(service)
    }

    /// Signs a request without headers of its own; its body is not signed.
    ///
    /// - Parameters:
    ///   - path: percent-encoded, as it is sent; begins with the bucket.
    ///   - life: whole seconds, at most `longestLife`.
    /// - Throws: `ServiceError`: `.unavailable` when the key cannot sign, or whoever keeps it does not.
    package func sign(
        _ method: String,
        _ path: String,
        at address: ServiceAddress,
        time: Timestamp,
        for life: Duration
    ) async throws -> Redacted<String> {
        guard life <= Self.longestLife else {
            throw ServiceError.invalid("life", "Cloud Storage takes URLs for seven days at most")
        }
        let email = try await email()
        let stamp = AWSSigner.stamp(time)
        let scope = "\(stamp.prefix(8))/auto/storage/goog4_request"
        let query = PercentEncoding.query([
            ("X-Goog-Algorithm", Self.algorithm), ("X-Goog-Credential", "\(email)/\(scope)"),
            ("X-Goog-Date", stamp), ("X-Goog-Expires", "\(life.components.seconds)"), ("X-Goog-SignedHeaders", "host"),
        ])
        let request = [method, path, query, "host:\(address.host)\n", "host", "UNSIGNED-PAYLOAD"].joined(
            separator: "\n"
        )
        let text = [Self.algorithm, stamp, scope, SHA256.hash(Array(request.utf8)).hex].joined(separator: "\n")
        let signature = try await signature(of: Array(text.utf8), email)
        return Redacted("\(address.url)\(path)?\(query)&X-Goog-Signature=\(Hex.encode(signature))")
    }

    private func email() async throws -> String {
        switch key {
        case .file(let account): account.email
        case .service(let service): try await service.email()
        }
    }

    private func signature(of message: [UInt8], _ email: String) async throws -> [UInt8] {
        switch key {
        case .file(let account):
            guard let signature = account.sign(message) else {
                throw ServiceError.unavailable("The key of \(email) cannot sign")
            }
            return signature
        case .service(let service):
            return try await service.sign(message, as: email)
        }
    }
}
