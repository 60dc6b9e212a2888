import Contract
import HTTPServer
import Kernel
import Telemetry

/// One line for each request, and one more where somebody must look.
///
/// Never a token, a query value or a body (S-06, S-73).
struct AccessLog: Sendable {
    let log: Logger
    let metrics: PipelineMetrics

    /// What is known of a request when it ends.
    struct Entry: Sendable {
        var request: RequestID
        var method: String
        /// The template of the route; nil where none was found.
        var route: Route?
        var status: Int
        var duration: Duration
        var received: Int
        var sent: Int?
        var actor: Actor?
        var error: ServiceError?
        var clientLeft: Bool
    }

    func write(_ entry: Entry) {
        metrics.count(entry.route?.name ?? PipelineMetrics.noRoute, status: entry.status, duration: entry.duration)
        if let error = entry.error { write(error, of: entry) }
        log.info(
            "request",
            [
                "method": .text(entry.method),
                "route": .text(entry.route?.descriptor.path ?? PipelineMetrics.noRoute),
                "status": .integer(entry.status),
                "duration": .milliseconds(entry.duration),
                "received": .integer(entry.received),
                "sent": .integer(entry.sent ?? -1),
                "actor": .text(entry.actor?.login ?? ""),
                "request": "\(entry.request)",
                "clientLeft": .flag(entry.clientLeft),
            ]
        )
    }

    /// 5xx as errors with their cause, 429 and 503 as notices, other 4xx and clients that left as what they are: somebody
    /// else's business.
    private func write(_ error: ServiceError, of entry: Entry) {
        let level: LogLevel =
            switch entry.status {
            case _ where entry.clientLeft: .debug
            case 429, 501, 503: .notice
            case 500...: .error
            default: .debug
            }
        log.log(
            level,
            "request refused",
            [
                "operation": .text(entry.route?.descriptor.id ?? PipelineMetrics.noRoute),
                "status": .integer(entry.status),
                "message": .text(error.message),
                "cause": error.cause.map { .error($0) } ?? .text(""),
                "request": "\(entry.request)",
            ]
        )
    }
}
