import Contract
import HTTPServer
import Kernel
import Telemetry

/// One line for each request, and one more where somebody must look.
///
/// Never a token, a query value or a body (S-06, S-73).
struct AccessLog: Sendable {
    /// What is known of a request when its answer begins.
    struct Entry: Sendable {
        var request: RequestID
        var method: String
        /// The index of the route; nil where none was found.
        var route: Int?
        var status: Int
        var started: ContinuousClock.Instant
        var progress: BodyProgress
        /// Bytes of the answer's body.
        var sent: Int
        var actor: Actor?
        var error: ServiceError?
        var clientLeft: Bool
        /// Whether the answer ended before it was whole although its client was there.
        var brokeOff = false
    }

    private let routes: [Route]
    private let log: Logger
    private let metrics: PipelineMetrics

    init(routes: [Route], log: Logger, metrics: MetricsRegistry) {
        self.routes = routes
        self.log = log
        self.metrics = PipelineMetrics(registry: metrics, routes: routes)
    }

    /// Writes the entry when the answer has ended: at once, or after the last byte of a streamed body.
    func follow(_ response: inout HTTPResponse, _ entry: Entry, isHead: Bool) {
        guard case .stream(let length, let produce) = response.body, !isHead else {
            var entry = entry
            if isHead { entry.sent = 0 }
            return write(entry)
        }
        let watch = StreamWatch(entry, self)
        response.body = .stream(length: length) { writer in try await watch.send(produce, to: writer) }
    }

    /// Counts a request that gets no line of its own, such as a probe.
    func count(_ route: Int?, status: Int, started: ContinuousClock.Instant) {
        metrics.count(route, status: status, duration: ContinuousClock.now - started)
    }

    /// The same for one that may have failed; a failure is written.
    func count(_ entry: Entry) {
        count(entry.route, status: entry.status, started: entry.started)
        if let error = entry.error { write(error, of: entry) }
    }

    func write(_ entry: Entry) {
        count(entry)
        log.info(
            "request",
            [
                "method": .text(entry.method),
                "route": .text(entry.route.map { routes[$0].descriptor.path } ?? PipelineMetrics.noRoute),
                "status": .integer(entry.status),
                "duration": .milliseconds(ContinuousClock.now - entry.started),
                "received": .integer(entry.progress.received),
                "sent": .integer(entry.sent),
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
            case _ where entry.brokeOff: .error
            case 429, 501, 503: .notice
            case 500...: .error
            default: .debug
            }
        log.log(
            level,
            entry.brokeOff ? "answer broke off" : "request refused",
            [
                "operation": .text(entry.route.map { routes[$0].descriptor.id } ?? PipelineMetrics.noRoute),
                "status": .integer(entry.status),
                "message": .text(error.message),
                "cause": error.cause.map { .error($0) } ?? .text(""),
                "request": "\(entry.request)",
            ]
        )
    }
}
