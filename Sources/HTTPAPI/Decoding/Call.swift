package import Contract
package import HTTPServer
package import Kernel
package import Telemetry

/// One admitted request of one operation, decoded.
package struct Call<Operation: APIOperation>: Sendable {
    package let path: Operation.Path
    package let query: Operation.Query
    package let body: Operation.Body
    /// The body's bytes, for operations that take `RawJSONBody` or `RawBody`.
    package let content: IncomingBody
    package let context: CallContext

    package var actor: Actor { context.admission.actor }
    package var admission: Admission { context.admission }
    package var logger: Logger { context.logger }

    init(path: Operation.Path, _ raw: RawCall, body: Operation.Body) throws {
        self.path = path
        self.body = body
        content = raw.content
        context = raw.context
        do {
            query = try Operation.Query(QueryParameters(of: raw.query))
        } catch {
            throw ServiceError(error)
        }
    }
}

extension QueryParameters {
    /// - Parameter query: what follows the `?` of a target, as sent; nil without one.
    init(of query: Substring?) throws(WireError) {
        guard let query else {
            self.init()
            return
        }
        try self.init(parsing: query.utf8)
    }
}

/// What is known of a request whatever its operation.
package struct CallContext: Sendable {
    package let requestID: RequestID
    package let admission: Admission
    package let headers: HTTPHeaders
    /// Path and query as sent, for links to other pages.
    package let target: RawTarget
    let operation: String
    let log: Logger

    /// A logger whose lines name the request, its operation and its actor; made when it is asked for, because most
    /// requests log nothing of their own.
    package var logger: Logger {
        log.with([
            "request": "\(requestID)",
            "operation": .text(operation),
            "actor": .text(admission.actor.login),
        ])
    }
}

/// An answer that says more than its output.
package struct Reply<Output: OperationOutput>: Sendable {
    package var output: Output
    /// Nil for the status that the contract gives to success.
    package var status: HTTPStatus?
    package var headers: [RenderedOutput.Header]
    /// Shown to the user by every client (`X-Pulumi-Warning`).
    package var warnings: [String]

    package init(
        _ output: Output,
        status: HTTPStatus? = nil,
        headers: [RenderedOutput.Header] = [],
        warnings: [String] = []
    ) {
        self.output = output
        self.status = status
        self.headers = headers
        self.warnings = warnings
    }

    func render(_ descriptor: OperationDescriptor) throws -> RawReply {
        var rendered = try output.render()
        rendered.headers += headers
        return RawReply(status: status?.code ?? descriptor.successStatus, output: rendered, warnings: warnings)
    }
}
