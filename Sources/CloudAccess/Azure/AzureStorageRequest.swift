package import Transfers

/// A request to Azure Storage before it is authorized.
package struct AzureStorageRequest: Sendable {
    package var method: String
    /// Scheme and host, as `https://account.blob.core.windows.net`.
    package var origin: String
    /// Percent-encoded, as it is sent; begins with `/`.
    package var path: String
    /// Not encoded; in any order.
    package var query: [(name: String, value: String)]
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]?

    package init(
        _ method: String,
        origin: String,
        path: String,
        query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = [],
        body: [UInt8]? = nil
    ) {
        self.method = method
        self.origin = origin
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
    }

    /// The request as it is sent, with more parameters in front of the end, which a signature may have encoded already.
    package func transfer(adding encoded: String = "") -> TransferRequest {
        let parts = [PercentEncoding.query(query), encoded].filter { !$0.isEmpty }
        let end = parts.isEmpty ? "" : "?\(parts.joined(separator: "&"))"
        var request = TransferRequest(method, origin + path + end, body: body)
        request.headers = headers
        return request
    }
}
