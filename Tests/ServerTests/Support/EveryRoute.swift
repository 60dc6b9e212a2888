import Contract
import HTTPAPI
import HTTPServer
import Kernel
import Server
import Telemetry
import TestKit

/// The table of all routes, over parts that refuse everything, with what tests of every route need.
enum EveryRoute {
    static let table = RoutesCommand.table(
        ProcessEnvironment(
            variables: [:],
            effects: ManualClock().effects,
            clock: ContinuousClock(),
            standardOutput: { _ in },
            standardError: { _ in }
        )
    )

    static var routes: [Route] { table.routes }

    /// Routes that look at a credential.
    static var guarded: [Route] { routes.filter { $0.access != "anonymous" } }

    /// Routes that read a body.
    static var taking: [Route] { routes.filter { $0.isImplemented && $0.intake != .none } }

    /// A path of the route: every parameter has a value that its rule accepts.
    static func path(of route: Route, changing values: [String: String] = [:]) -> String {
        let samples = [
            "orgName": "acme", "projectName": "site", "stackName": "dev",
            "updateID": "0194b8a6-0000-7000-8000-000000000001",
        ].merging(values) { $1 }
        let segments = route.template.parts.map { part in
            switch part {
            case .literal(let text): text
            case .parameter(let name): samples[name] ?? "sample1"
            }
        }
        return "/" + segments.joined(separator: "/")
    }
}

/// The pipeline of every route with another authorizer before it.
struct RouteProbe {
    private let pipeline: Pipeline
    let authorizer: StubAuthorizer

    init(_ authorizer: StubAuthorizer = StubAuthorizer(.admit)) {
        self.authorizer = authorizer
        pipeline = Pipeline(
            routes: EveryRoute.table,
            authorizer: authorizer,
            effects: ManualClock().effects,
            log: .silent,
            metrics: MetricsRegistry()
        )
    }

    struct Outcome {
        let status: Int
        let json: JSONValue?
        let headers: HTTPHeaders
        let bodyWasRead: Bool

        var message: String {
            guard case .object(let object) = json, case .string(let text) = object["message"] else { return "" }
            return text
        }

        var code: String {
            guard case .object(let object) = json, case .number(let text) = object["code"] else { return "" }
            return text
        }
    }

    func send(
        _ route: Route,
        path: String? = nil,
        authorization: String? = nil,
        headers: HTTPHeaders = [:],
        body: RequestBody = RequestBody(bytes: Array("{}".utf8))
    ) async throws -> Outcome {
        var headers = headers
        if let authorization { headers.append("Authorization", authorization) }
        let request = HTTPRequest(
            method: HTTPMethod(route.descriptor.method.rawValue),
            target: RawTarget(path ?? EveryRoute.path(of: route)),
            headers: headers,
            body: body
        )
        let response = await pipeline.respond(to: request)
        var json: JSONValue?
        if case .bytes(let bytes) = response.body { json = try JSONValue.parse(bytes) }
        return Outcome(
            status: response.status.code,
            json: json,
            headers: response.headers,
            bodyWasRead: body.wasRead
        )
    }

    /// A credential of the kind that the route takes.
    static func credential(for route: Route) -> String? {
        switch route.credential {
        case .token: "token x"
        case .updateToken: "update-token x"
        case nil: nil
        }
    }
}

/// Admits everybody or nobody, and counts how often it was asked.
final class StubAuthorizer: Authorizer {
    enum Decision: Sendable {
        case admit
        case refuse(ServiceError.Code)
    }

    private let decision: Decision
    private let asked = Locked<[Requirement]>([])

    init(_ decision: Decision) {
        self.decision = decision
    }

    var requirements: [Requirement] { asked.withLock { $0 } }

    func admit(
        _ credential: Credential?,
        to requirement: Requirement,
        from address: String
    ) async throws -> Admission {
        asked.withLock { $0.append(requirement) }
        switch decision {
        case .admit: return Admission(actor: .anonymous(from: address))
        case .refuse(let code): throw ServiceError(code, "refused by the test")
        }
    }
}
