import Contract
package import HTTPAPI
package import HTTPServer
package import Identity
import Kernel
package import Persistence
package import Telemetry
package import TestKit
package import Testing

/// The whole pipeline behind a client without a port, with a database of its own under it.
///
/// It is stricter than a socket: a test fails when a body was read before its sender was admitted, when an answer breaks
/// the wire form, when a mutation succeeded without the audit event that its route declares, or when a refusal left one.
package struct TestServer: Sendable {
    package let database: Database
    package let clock: ManualClock
    package let routes: RouteTable
    package let pipeline: Pipeline
    package let usage: TokenUsage
    package let log: LogRecorder
    package let metrics: MetricsRegistry

    let router: Router
    let traffic = Traffic()

    /// Sends a request and checks the answer's form.
    ///
    /// - Parameters:
    ///   - json: the body as JSON text; sets the content type.
    ///   - body: the body as bytes.
    package func send(
        _ method: String,
        _ target: String,
        json: String? = nil,
        body: [UInt8]? = nil,
        headers: HTTPHeaders = [:],
        as caller: TestCaller = .dev,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> TestReply {
        let request =
            if let json {
                TestRequest(method, target, headers: headers, json: json)
            } else {
                TestRequest(method, target, headers: headers, body: body)
            }
        return try await send(request, as: caller, at: location)
    }

    /// Sends a request and checks the answer's form.
    package func send(
        _ request: TestRequest,
        as caller: TestCaller = .dev,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> TestReply {
        // Both looks at the log lie within, so that what another request wrote is not taken for this one's.
        let ticket = traffic.begin()
        let before = await auditHeads()
        let http = request.httpRequest(as: caller)
        let exchange = Exchange(body: http.body)
        let response: HTTPResponse
        if let inline = pipeline.inline(http.head) {
            response = inline
        } else {
            response = await Exchange.$current.withValue(exchange) { await pipeline.respond(to: http) }
        }
        let bytes = try await response.body.collect()
        let newActions = await auditActions(since: before)
        let reply = TestReply(
            status: response.status.code,
            headers: response.headers,
            body: request.method == "HEAD" ? [] : bytes
        )
        let inspection = Inspection(
            request: request,
            route: route(of: request),
            reply: reply,
            exchange: exchange,
            newActions: newActions,
            wasAlone: traffic.end(ticket),
            location: location
        )
        inspection.run()
        return reply
    }

    /// What the audit log says was done since the server was made, oldest first.
    package func auditActions() async throws -> [String] {
        try await database.read { tx in
            try tx.all("SELECT action_slug FROM audit_events ORDER BY created_at, scope, sequence") { try $0.text(0) }
        }
    }

    /// The route that answers the request; nil when none does.
    package func route(of request: TestRequest) -> Route? {
        let path = Array(request.target.prefix { $0 != "?" }.utf8)
        guard case .found(let index, _) = router.match(OperationMethod(rawValue: request.method), path.span) else {
            return nil
        }
        return routes.routes[index]
    }

    /// Where each chain of the audit log ends; nil while the database is away, as some tests want it.
    private func auditHeads() async -> [String: Int]? {
        try? await database.read { tx in try Self.auditHeads(in: tx) }
    }

    /// What was done since the chains ended there, each action once; nil as above.
    ///
    /// No more is read than that: a test may send thousands of requests, and each asks.
    private func auditActions(since heads: [String: Int]?) async -> [String]? {
        guard let heads else { return nil }
        return try? await database.read { tx in
            var actions: Set<String> = []
            for (scope, end) in try Self.auditHeads(in: tx) {
                let known = heads[scope, default: -1]
                guard end > known else { continue }
                actions.formUnion(
                    try tx.all(
                        "SELECT action_slug FROM audit_events WHERE scope = \(scope) AND sequence > \(known)"
                    ) { try $0.text(0) }
                )
            }
            return actions.sorted()
        }
    }

    private static func auditHeads(in tx: Transaction) throws -> [String: Int] {
        let heads = try tx.all("SELECT scope, sequence FROM audit_chains") { (try $0.text(0), try $0.int(1)) }
        return Dictionary(uniqueKeysWithValues: heads)
    }
}

/// Counts requests, so that one can tell whether it was the only one at its time.
final class Traffic: Sendable {
    struct Ticket: Sendable {
        let number: Int
        let startedAlone: Bool
    }

    private struct State: Sendable {
        var started = 0
        var running = 0
    }

    private let state = Locked(State())

    func begin() -> Ticket {
        state.withLock { state in
            state.started += 1
            state.running += 1
            return Ticket(number: state.started, startedAlone: state.running == 1)
        }
    }

    /// - Returns: whether no other request was in progress at any time since `begin`.
    func end(_ ticket: Ticket) -> Bool {
        state.withLock { state in
            state.running -= 1
            return ticket.startedAlone && state.started == ticket.number
        }
    }
}
