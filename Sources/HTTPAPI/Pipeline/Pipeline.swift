import Contract
package import HTTPServer
package import Kernel
package import Telemetry

/// One function from a request to its answer: route, admission, limits, decoding, handler, encoding, log.
///
/// Whoever asks is admitted before a byte of the body is read (`design/architecture.md` §6).
package struct Pipeline: Sendable {
    package struct Options: Sendable {
        /// Where large bodies are inflated, parsed and compressed; nil does it in place.
        package var compute: BlockingPool?
        /// What all bodies that are held whole may take together; nil for no bound.
        package var memory: MemoryBudget?
        /// What stands in front of every path, such as `/pulumi`; empty for none.
        package var prefix: String

        package init(compute: BlockingPool? = nil, memory: MemoryBudget? = nil, prefix: String = "") {
            self.compute = compute
            self.memory = memory
            self.prefix = prefix
        }
    }

    private let routes: [Route]
    private let router: Router
    private let authorizer: any Authorizer
    private let ids: RequestIDs
    private let inlineRoutes: InlineRoutes
    private let log: Logger
    private let accessLog: AccessLog
    private let encoder: AnswerEncoder
    private let options: Options

    package init(
        routes table: RouteTable,
        authorizer: any Authorizer,
        effects: Effects,
        log: Logger,
        metrics: MetricsRegistry,
        options: Options = Options()
    ) {
        routes = table.routes
        router = Router(table.routes.map { ($0.descriptor.method, $0.template) })
        self.authorizer = authorizer
        ids = RequestIDs(effects: effects)
        self.log = log
        accessLog = AccessLog(routes: table.routes, log: log, metrics: metrics)
        encoder = AnswerEncoder(compute: options.compute)
        inlineRoutes = InlineRoutes(table.routes, prefix: options.prefix, encoder: encoder)
        self.options = options
    }

    /// Answers one request.
    ///
    /// Every failure becomes an answer.
    package func respond(to request: HTTPRequest) async -> HTTPResponse {
        var trace = Trace(request.head, id: ids.next())
        var response: HTTPResponse
        do {
            response = try await answer(request, &trace)
        } catch {
            response = self.response(to: error, &trace)
        }
        response.headers.set("X-Pulumi-Request-ID", trace.id.description)
        accessLog.follow(&response, entry(of: trace, response), isHead: request.method == .head)
        return response
    }

    /// Answers requests to the routes with one answer for everybody, on the thread that reads the socket; nil for all others.
    package func inline(_ head: HTTPRequestHead) -> HTTPResponse? {
        guard let entry = inlineRoutes.find(head) else { return nil }
        let started = ContinuousClock.now
        let id = ids.next()
        do {
            if let query = head.target.query { try check(query) }
            var response = try entry.answer.get()
            response.headers.append("X-Pulumi-Request-ID", id.description)
            accessLog.count(entry.index, status: response.status.code, started: started)
            return response
        } catch {
            var trace = Trace(head, id: id, started: started)
            trace.route = entry.index
            var response = self.response(to: error, &trace)
            response.headers.set("X-Pulumi-Request-ID", id.description)
            accessLog.count(self.entry(of: trace, response))
            return response
        }
    }

    /// A query that no inline route takes anything from must be one all the same.
    private func check(_ query: Substring) throws(ServiceError) {
        do {
            _ = try QueryParameters(of: query)
        } catch {
            throw ServiceError(error)
        }
    }

    // MARK: - Steps

    private func answer(_ request: HTTPRequest, _ trace: inout Trace) async throws -> HTTPResponse {
        let path = Array(try relativePath(of: request.head).utf8)
        let (index, segments) = try match(request.head, path.span, &trace)
        trace.route = index
        let route = routes[index]
        let credential = route.credential == nil ? nil : try self.credential(of: request)
        let bound: BoundRoute
        do {
            bound = try route.bind(route.template.values(segments, path.span))
        } catch {
            // A stranger learns nothing, not even that a name is malformed.
            if let kind = route.credential {
                _ = try await admit(credential, kind, to: .authenticated, request, &trace)
            }
            throw error
        }
        let admission = try await admission(of: credential, to: route, bound.requirement, request, &trace)
        let content = try IncomingBody(
            request,
            intake: route.intake,
            limits: route.limits,
            progress: trace.progress,
            compute: options.compute,
            memory: options.memory
        )
        let call = RawCall(
            context: context(request.head, admission, trace, of: route),
            query: request.head.target.query,
            content: content
        )
        return try await encoder.encode(bound.answer(call), for: request.head)
    }

    private func match(
        _ head: HTTPRequestHead,
        _ path: Span<UInt8>,
        _ trace: inout Trace
    ) throws(ServiceError) -> (Int, PathSegments) {
        switch router.match(OperationMethod(rawValue: head.method.name), path) {
        case .found(let index, let segments):
            return (index, segments)
        case .methodNotAllowed(let methods):
            trace.allowedMethods = methods.map(\.rawValue).joined(separator: ", ")
            throw .methodNotAllowed(head.method.name, methods.map(\.rawValue))
        case .notFound:
            throw .noRoute(head.method.name, String(head.target.path))
        case .malformed(let problem):
            throw .malformedPath(problem)
        }
    }

    private func relativePath(of head: HTTPRequestHead) throws(ServiceError) -> Substring {
        let path = head.target.path
        guard !options.prefix.isEmpty else { return path }
        let rest = path.dropFirst(options.prefix.count)
        guard path.hasPrefix(options.prefix), rest.isEmpty || rest.hasPrefix("/") else {
            throw .noRoute(head.method.name, String(path))
        }
        return rest
    }

    private func credential(of request: HTTPRequest) throws(ServiceError) -> Credential? {
        try Credential.read(request.headers.values(for: "Authorization"))
    }

    private func admission(
        of credential: Credential?,
        to route: Route,
        _ requirement: Requirement,
        _ request: HTTPRequest,
        _ trace: inout Trace
    ) async throws -> Admission {
        guard let kind = route.credential else {
            let actor = Actor.anonymous(from: request.peer.text)
            trace.actor = actor
            return Admission(actor: actor)
        }
        return try await admit(credential, kind, to: requirement, request, &trace)
    }

    /// Asks the authorizer; the trace knows afterwards who it is, admitted or refused.
    ///
    /// A credential of another kind than the route takes counts as none (S-05). Who holds no lease is never told to log
    /// in: the client would tell its user so (`spec/cli-protocol.md` §10.5).
    private func admit(
        _ credential: Credential?,
        _ kind: Credential.Kind,
        to requirement: Requirement,
        _ request: HTTPRequest,
        _ trace: inout Trace
    ) async throws -> Admission {
        guard let credential, credential.kind == kind else {
            throw kind == .updateToken ? ServiceError.noLease : ServiceError.noCredential
        }
        if kind == .updateToken, case .authenticated = requirement { throw ServiceError.noLease }
        do {
            let admission = try await authorizer.admit(credential, to: requirement, from: request.peer.text)
            trace.actor = admission.actor
            return admission
        } catch let refusal as AdmissionRefusal {
            trace.actor = refusal.actor
            throw refusal.reason
        } catch let error as ServiceError where kind == .updateToken && error.code == .unauthenticated {
            throw ServiceError.noLease
        }
    }

    private func context(
        _ head: HTTPRequestHead,
        _ admission: Admission,
        _ trace: Trace,
        of route: Route
    ) -> CallContext {
        CallContext(
            requestID: trace.id,
            admission: admission,
            headers: head.headers,
            target: head.target,
            operation: route.descriptor.id,
            log: log
        )
    }

    // MARK: - Ends

    private func response(to error: any Error, _ trace: inout Trace) -> HTTPResponse {
        if error is CancellationError { trace.clientLeft = true }
        let shown = error is CancellationError ? .cutOff : error as? ServiceError ?? .unexpected(error)
        trace.error = shown
        var response = ErrorRenderer.response(to: shown)
        if !trace.allowedMethods.isEmpty { response.headers.set("Allow", trace.allowedMethods) }
        return response
    }

    private func entry(of trace: Trace, _ response: HTTPResponse) -> AccessLog.Entry {
        AccessLog.Entry(
            request: trace.id,
            method: trace.method,
            route: trace.route,
            status: response.status.code,
            started: trace.started,
            progress: trace.progress,
            sent: response.body.knownLength ?? 0,
            actor: trace.actor,
            error: trace.error,
            clientLeft: trace.clientLeft || trace.progress.clientLeft
        )
    }
}

/// What is learnt of a request on its way.
private struct Trace: Sendable {
    let id: RequestID
    let method: String
    let started: ContinuousClock.Instant
    let progress = BodyProgress()
    /// The index of its route; nil when none answers it.
    var route: Int?
    var actor: Actor?
    var error: ServiceError?
    var clientLeft = false
    /// For the `Allow` header; empty when the path has no other method.
    var allowedMethods = ""

    init(_ head: HTTPRequestHead, id: RequestID, started: ContinuousClock.Instant = .now) {
        self.id = id
        self.started = started
        method = head.method.name
    }
}
