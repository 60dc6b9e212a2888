import Contract
package import HTTPServer
package import Kernel

/// Turns errors into answers: the only place that knows status numbers and the wire form of errors
/// (`spec/cli-protocol.md` §1.5).
package enum ErrorRenderer {
    /// The status of a code.
    ///
    /// Codes are an open set; one that is not known here is a mistake of ours.
    package static func status(of code: ServiceError.Code) -> HTTPStatus {
        switch code {
        case .invalidArgument: .badRequest
        case .unauthenticated: .unauthorized
        case .permissionDenied: .forbidden
        case .notFound: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .conflict: .conflict
        case .failedPrecondition: .preconditionFailed
        case .tooLarge: .contentTooLarge
        case .unsupportedMediaType: .unsupportedMediaType
        case .unprocessable: .unprocessableContent
        case .rateLimited: .tooManyRequests
        case .unimplemented: .notImplemented
        case .unavailable: .serviceUnavailable
        default: .internalServerError
        }
    }

    package static func response(to error: ServiceError) -> HTTPResponse {
        let status = status(of: error.code)
        var response = HTTPResponse(
            status,
            headers: ["Content-Type": "application/json"],
            body: .bytes(body(status, error.message, error.details, grantError: error.grantError))
        )
        if let seconds = error.retryAfter ?? defaultRetry(status) {
            response.headers.append("Retry-After", String(seconds))
        }
        if status == .unauthorized { response.headers.append("WWW-Authenticate", "token") }
        return response
    }

    /// The body of an answer that the HTTP server gives by itself, before there is a request to speak of.
    package static func body(for refusal: HTTPStatus) -> [UInt8] {
        body(refusal, refusalMessages[refusal] ?? "Bad Request", [])
    }

    private static let refusalMessages: [HTTPStatus: String] = [
        .badRequest: "Bad Request: this is not an HTTP/1.1 request that the server takes",
        .requestTimeout: "Request Timeout: the request did not arrive in time",
        .contentTooLarge: "Content Too Large: the body is too large",
        .uriTooLong: "URI Too Long: the target of the request is too long",
        .expectationFailed: "Expectation Failed: the only expectation the server meets is 100-continue",
        .headerFieldsTooLarge: "Request Header Fields Too Large: the head of the request is too large",
        .internalServerError: "Internal Server Error: something went wrong",
        .notImplemented: "Not Implemented: the server does not know this transfer coding",
        .serviceUnavailable: "Service Unavailable: the server has too many connections, or is about to stop",
    ]

    private static func defaultRetry(_ status: HTTPStatus) -> Int? {
        status == .serviceUnavailable || status == .tooManyRequests ? 1 : nil
    }

    /// `code` must be there, and be a number: clients test it and not the status.
    private static func body(
        _ status: HTTPStatus,
        _ message: String,
        _ details: [ServiceError.Detail],
        grantError: String? = nil
    ) -> [UInt8] {
        var json = JSONWriter(reserving: 128)
        json.beginObject()
        if let grantError {
            json.field("error", string: grantError)
            json.field("error_description", string: message)
        }
        json.field("code", integer: status.code)
        json.field("message", string: message)
        if !details.isEmpty {
            json.name("errors")
            json.beginArray()
            for detail in details { write(detail, to: &json) }
            json.endArray()
        }
        json.endObject()
        return json.bytes
    }

    private static func write(_ detail: ServiceError.Detail, to json: inout JSONWriter) {
        json.beginObject()
        json.field("resource", string: detail.resource ?? "")
        json.field("attribute", string: detail.attribute)
        json.field("errorType", string: detail.kind)
        json.field("customMessage", string: detail.message)
        json.endObject()
    }
}
