import CBeast

/// Why the server refused a request or ended a connection by itself.
package enum RefusalReason: Int, CaseIterable, Hashable, Sendable {
    /// The head breaks the grammar of HTTP/1.1.
    case malformed
    /// The target is of no form that we serve, or not ASCII.
    case badTarget
    case targetTooLong
    case headTooLarge
    case tooManyFields
    /// `Host` is missing, doubled or broken, or the target names another host.
    case badHost
    /// The length of the body is stated in a way that two readers could read differently.
    case badFraming
    /// A transfer coding other than `chunked`.
    case unknownEncoding
    /// An expectation other than `100-continue`.
    case unknownExpectation
    /// `CONNECT`: we are no proxy.
    case connect
    case headTimeout
    case bodyTimeout
    /// HTTP without TLS on a port that speaks TLS.
    case plainTextOnTLS
    case tooManyConnections
    case tooManyConnectionsOfAddress
    /// The handler's answer cannot be sent: its status is not in 200…599, or a header field breaks the grammar.
    case badAnswer
    /// Broken chunks. The handler sees the error and answers; the connection ends.
    case malformedBody
    case tlsFailed
    case handshakeTimeout
    /// The client reads too slowly, or not at all.
    case writeTimeout
    /// The client left before its answer was sent.
    case peerGone

    /// Whether the server sends an answer of its own: those have a `ReadyAnswer`.
    package var isAnswered: Bool { rawValue < Int(CB_ANSWERED_REASONS.rawValue) }
}

/// A small answer that is made before it is needed, for what the server refuses by itself.
package struct ReadyAnswer: Sendable {
    package let status: HTTPStatus
    package let contentType: String
    package let body: [UInt8]

    package init(status: HTTPStatus, contentType: String, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    /// Plain text, for servers that are given nothing better.
    package static func plain(_ reason: RefusalReason) -> ReadyAnswer {
        let (status, text) = wording(reason)
        return ReadyAnswer(status: status, contentType: "text/plain; charset=utf-8", body: Array("\(text)\n".utf8))
    }

    /// The status that goes with a reason, and one line for a person.
    package static func wording(_ reason: RefusalReason) -> (status: HTTPStatus, text: String) {
        switch reason {
        case .badTarget: (.badRequest, "the request target is not valid")
        case .targetTooLong: (.uriTooLong, "the request target is too long")
        case .headTooLarge: (.headerFieldsTooLarge, "the header fields are too large")
        case .tooManyFields: (.headerFieldsTooLarge, "there are too many header fields")
        case .badHost: (.badRequest, "the host is missing, given twice, or not valid")
        case .badFraming: (.badRequest, "the length of the body is not stated clearly")
        case .unknownEncoding: (.notImplemented, "the only transfer coding served is chunked")
        case .unknownExpectation: (.expectationFailed, "the only expectation served is 100-continue")
        case .connect: (.notImplemented, "this is not a proxy")
        case .headTimeout, .bodyTimeout: (.requestTimeout, "the request came too slowly")
        case .plainTextOnTLS: (.badRequest, "this port speaks HTTPS only")
        case .tooManyConnections: (.serviceUnavailable, "too many connections; try again later")
        case .tooManyConnectionsOfAddress: (.serviceUnavailable, "too many connections from this address")
        case .badAnswer: (.internalServerError, "the answer could not be made")
        default: (.badRequest, "the request is not valid HTTP/1.1")
        }
    }
}
