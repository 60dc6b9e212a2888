import Crypto
package import Kernel

/// URLs of Cloud Storage that whoever has them may use until they end.
///
/// Source: "V4 signing process" of the vendor's documentation; proved by what its library makes.
package struct GoogleURLSigner: Sendable {
    private let account: GoogleServiceAccount

    private static let algorithm = "GOOG4-RSA-SHA256"

    package init(_ account: GoogleServiceAccount) {
        self.account = account
    }

    /// Signs a request without headers of its own; its body is not signed.
    ///
    /// - Parameters:
    ///   - path: percent-encoded, as it is sent; begins with the bucket.
    ///   - life: whole seconds, at most seven days.
    /// - Returns: nil when the key cannot sign.
    package func sign(
        _ method: String,
        _ path: String,
        at address: ServiceAddress,
        time: Timestamp,
        for life: Duration
    ) -> Redacted<String>? {
        let stamp = AWSSigner.stamp(time)
        let scope = "\(stamp.prefix(8))/auto/storage/goog4_request"
        let query = PercentEncoding.query([
            ("X-Goog-Algorithm", Self.algorithm), ("X-Goog-Credential", "\(account.email)/\(scope)"),
            ("X-Goog-Date", stamp), ("X-Goog-Expires", "\(life.components.seconds)"), ("X-Goog-SignedHeaders", "host"),
        ])
        let request = [method, path, query, "host:\(address.host)\n", "host", "UNSIGNED-PAYLOAD"].joined(
            separator: "\n"
        )
        let text = [Self.algorithm, stamp, scope, SHA256.hash(Array(request.utf8)).hex].joined(separator: "\n")
        guard let signature = account.sign(Array(text.utf8)) else { return nil }
        return Redacted("\(address.url)\(path)?\(query)&X-Goog-Signature=\(Hex.encode(signature))")
    }
}
