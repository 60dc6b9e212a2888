/// An answer.
///
/// The server adds `Date`, `Server`, `Connection` and the framing (`Content-Length`, `Transfer-Encoding`) by itself and
/// leaves out what a handler says about them, but for `Connection: close`, which it heeds. Answers to HEAD and those
/// with 204 or 304 are sent without body and without `Content-Encoding`.
package struct HTTPResponse: Sendable {
    package var status: HTTPStatus
    package var headers: HTTPHeaders
    package var body: ResponseBody

    package init(_ status: HTTPStatus, headers: HTTPHeaders = [:], body: ResponseBody = .none) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// What an answer carries after its head.
package enum ResponseBody: Sendable {
    case none
    case bytes([UInt8])

    /// A part of a file, sent by the kernel where it can. The part must lie inside the file: a file that turns out to
    /// be shorter ends the connection.
    case file(OpenFile, offset: Int64, length: Int64)

    /// Bytes that are made while they are sent, with back-pressure.
    ///
    /// With a length, exactly that many bytes must be written. Without one they go out in chunks. An error that the
    /// closure throws ends the connection, so that the client sees that the body is not whole.
    case stream(length: Int64?, @Sendable (ResponseWriter) async throws -> Void)

    /// Bytes that are made while they are sent, of a length not known.
    package static func stream(_ produce: @escaping @Sendable (ResponseWriter) async throws -> Void) -> Self {
        .stream(length: nil, produce)
    }
}

/// Takes the pieces of a streamed body.
package struct ResponseWriter: Sendable {
    private let sink: @Sendable ([UInt8]) async throws -> Void

    /// A writer that hands each piece to `sink`; tests of handlers make one to collect a streamed body.
    package init(_ sink: @escaping @Sendable ([UInt8]) async throws -> Void) {
        self.sink = sink
    }

    /// Sends one piece and returns when the system has taken it.
    ///
    /// - Throws: `CancellationError` when the client has left, reads too slowly, or the task was cancelled;
    ///   `ServiceError` with `.internal` when it exceeds the stated length.
    package func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        try await sink(bytes)
    }
}
