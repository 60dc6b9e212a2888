package import HTTPServer

/// A request as a test builds it.
package struct TestRequest: Sendable {
    package var method: String
    /// Path and query, exactly as they would be sent.
    package var target: String
    package var headers: HTTPHeaders
    /// Nil for a request without a body.
    package var body: [UInt8]?
    /// Whether the body comes without a stated length.
    package var isChunked = false
    /// Whether a success must leave the audit event that the route declares; not so where a repetition changes nothing.
    package var mustBeAudited = true
    /// Whether a refusal may leave an audit event: where something ended although its request failed.
    package var mayBeAuditedWhenRefused = false

    package init(_ method: String, _ target: String, headers: HTTPHeaders = [:], body: [UInt8]? = nil) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }

    /// A request with a JSON text as its body.
    package init(_ method: String, _ target: String, headers: HTTPHeaders = [:], json: String) {
        self.init(method, target, headers: headers, body: Array(json.utf8))
        if !headers.contains("Content-Type") { self.headers.append("Content-Type", "application/json") }
    }

    var name: String { "\(method) \(target)" }

    func httpRequest(as caller: TestCaller) -> HTTPRequest {
        var headers = headers
        if let authorization = caller.authorization { headers.append("Authorization", authorization) }
        return HTTPRequest(
            method: HTTPMethod(method),
            target: RawTarget(target),
            headers: headers,
            peer: PeerAddress(text: "192.0.2.7", port: 40_000),
            body: requestBody
        )
    }

    private var requestBody: RequestBody {
        guard let body else { return .empty }
        let pieces = RequestBody(bytes: body)
        guard isChunked else { return pieces }
        return RequestBody {
            var iterator = pieces.makeAsyncIterator()
            return try await iterator.next()
        }
    }
}
