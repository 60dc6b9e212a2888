package import Crypto
package import Kernel
package import Transfers

/// A request to AWS, or to whoever speaks its protocols, before it is signed.
package struct AWSRequest: Sendable {
    package var method: String
    /// `https` or `http`.
    package var scheme: String
    /// With the port when it is not the scheme's own.
    package var host: String
    /// Percent-encoded, as it is sent; begins with `/`.
    package var path: String
    /// Not encoded; in any order.
    package var query: [(name: String, value: String)]
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]?

    package init(
        _ method: String,
        scheme: String = "https",
        host: String,
        path: String = "/",
        query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = [],
        body: [UInt8]? = nil
    ) {
        self.method = method
        self.scheme = scheme
        self.host = host
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
    }

    /// The request as it is sent, unsigned.
    package var transfer: TransferRequest {
        let query = query.isEmpty ? "" : "?\(PercentEncoding.query(query))"
        var request = TransferRequest(method, "\(scheme)://\(host)\(path)\(query)", body: body)
        request.headers = headers
        return request
    }
}

/// Signature Version 4 of AWS, in headers and in query strings.
///
/// Source: "Signature Version 4 signing process" of the AWS documentation; proved by the vendor's published vectors.
package struct AWSSigner: Sendable {
    package let region: String
    /// `s3`, `kms`, `sts`, `dynamodb`.
    package let service: String

    package init(region: String, service: String) {
        self.region = region
        self.service = service
    }

    private static let algorithm = "AWS4-HMAC-SHA256"

    /// The request with its `Authorization`, `X-Amz-Date` and, for temporary keys, `X-Amz-Security-Token`.
    ///
    /// - Parameter payload: the SHA-256 of the body when it is known already.
    package func sign(
        _ request: AWSRequest,
        with credentials: AWSCredentials,
        at time: Timestamp,
        payload: Digest? = nil
    ) -> TransferRequest {
        let hash = (payload ?? SHA256.hash(request.body ?? [])).hex
        var request = request
        let stamp = Self.stamp(time)
        request.headers.append(("X-Amz-Date", stamp))
        if service == "s3" { request.headers.append(("X-Amz-Content-Sha256", hash)) }
        if let token = credentials.sessionToken { request.headers.append(("X-Amz-Security-Token", token.reveal())) }
        let signed = canonicalHeaders(request)
        let text = canonicalRequest(request, query: request.query, headers: signed, hash: hash)
        let authorization =
            "\(Self.algorithm) Credential=\(credentials.accessKeyID)/\(scope(stamp)), "
            + "SignedHeaders=\(signed.map(\.name).joined(separator: ";")), "
            + "Signature=\(signature(of: text, stamp, credentials))"
        request.headers.append(("Authorization", authorization))
        return request.transfer
    }

    /// A URL that whoever has it may use until it expires.
    ///
    /// - Parameters:
    ///   - request: its headers must be sent exactly so; its body is not signed.
    ///   - life: whole seconds, at most seven days.
    package func presign(
        _ request: AWSRequest,
        with credentials: AWSCredentials,
        at time: Timestamp,
        for life: Duration
    ) -> String {
        var request = request
        let stamp = Self.stamp(time)
        let signed = canonicalHeaders(request)
        request.query += [
            ("X-Amz-Algorithm", Self.algorithm), ("X-Amz-Credential", "\(credentials.accessKeyID)/\(scope(stamp))"),
            ("X-Amz-Date", stamp), ("X-Amz-Expires", "\(life.components.seconds)"),
            ("X-Amz-SignedHeaders", signed.map(\.name).joined(separator: ";")),
        ]
        if let token = credentials.sessionToken { request.query.append(("X-Amz-Security-Token", token.reveal())) }
        let text = canonicalRequest(request, query: request.query, headers: signed, hash: "UNSIGNED-PAYLOAD")
        request.query.append(("X-Amz-Signature", signature(of: text, stamp, credentials)))
        return request.transfer.url
    }

    // MARK: - The text that is signed

    private func canonicalRequest(
        _ request: AWSRequest,
        query: [(name: String, value: String)],
        headers: [(name: String, value: String)],
        hash: String
    ) -> String {
        let items = query.map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }
            .sorted { $0 < $1 }
        return [
            request.method,
            // All services but S3 encode the path once more.
            service == "s3" ? request.path : PercentEncoding.encode(request.path, keepingSlash: true),
            items.map { "\($0.0)=\($0.1)" }.joined(separator: "&"),
            headers.map { "\($0.name):\($0.value)\n" }.joined(),
            headers.map(\.name).joined(separator: ";"),
            hash,
        ].joined(separator: "\n")
    }

    /// All headers in lower case and in order, values of the same name together, blanks between words made one.
    private func canonicalHeaders(_ request: AWSRequest) -> [(name: String, value: String)] {
        var values: [String: [String]] = ["host": [request.host]]
        for header in request.headers {
            let words = header.value.split { $0 == " " || $0 == "\t" }
            values[header.name.lowercased(), default: []].append(words.joined(separator: " "))
        }
        return values.sorted { $0.key < $1.key }.map { ($0.key, $0.value.joined(separator: ",")) }
    }

    private func scope(_ stamp: String) -> String {
        "\(stamp.prefix(8))/\(region)/\(service)/aws4_request"
    }

    private func signature(of text: String, _ stamp: String, _ credentials: AWSCredentials) -> String {
        let parts = [Self.algorithm, stamp, scope(stamp), SHA256.hash(Array(text.utf8)).hex]
        let seed = Array("AWS4\(credentials.secretAccessKey.reveal())".utf8)
        let key = [String(stamp.prefix(8)), region, service, "aws4_request"].reduce(seed) { key, word in
            HMAC.code(of: Array(word.utf8), key: key).bytes
        }
        return HMAC.code(of: Array(parts.joined(separator: "\n").utf8), key: key).hex
    }

    /// `20261125T131018Z`.
    static func stamp(_ time: Timestamp) -> String {
        Timestamp(seconds: time.seconds).rfc3339.filter { $0 != "-" && $0 != ":" }
    }
}
