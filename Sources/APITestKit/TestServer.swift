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
        let before = await auditCounts()
        let http = request.httpRequest(as: caller)
        let exchange = Exchange(body: http.body)
        let response: HTTPResponse
        if let inline = pipeline.inline(http.head) {
            response = inline
        } else {
            response = await Exchange.$current.withValue(exchange) { await pipeline.respond(to: http) }
        }
        let bytes = try await response.body.collect()
        let newActions = Self.difference(before, await auditCounts())
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

    /// How many events of each action there are; nil while the database is away, as some tests want it.
    private func auditCounts() async -> [String: Int]? {
        let actions = try? await auditActions()
        return actions.map { actions in actions.reduce(into: [:]) { counts, action in counts[action, default: 0] += 1 }
        }
    }

    private static func difference(_ before: [String: Int]?, _ after: [String: Int]?) -> [String]? {
        guard let before, let after else { return nil }
        return after.filter { $0.value > before[$0.key, default: 0] }.keys.sorted()
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
