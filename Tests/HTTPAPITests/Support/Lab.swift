import Contract
import HTTPAPI
import HTTPServer
import Kernel
import Telemetry

/// A small API whose handlers a test writes, behind the real pipeline.
struct Lab: Sendable {
    let pipeline: Pipeline
    let log = LogRecorder()
    let metrics = MetricsRegistry()

    init(
        prefix: String = "",
        authorizer: any Authorizer = OpenDoor(),
        compute: BlockingPool? = nil,
        _ register: (inout RouteTable) -> Void
    ) {
        var table = RouteTable()
        register(&table)
        let now: @Sendable () -> Timestamp = { Timestamp(seconds: 1_893_456_000) }
        let counter = Locked<UInt8>(0)
        pipeline = Pipeline(
            routes: table,
            authorizer: authorizer,
            effects: Effects(now: now) { count in
                let seed = counter.withLock { counter in
                    counter &+= 1
                    return counter
                }
                return Array(repeating: seed, count: count)
            },
            log: Logger(to: log, minimum: .debug, now: now),
            metrics: metrics,
            options: Pipeline.Options(compute: compute, prefix: prefix)
        )
    }

    /// Sends a request with a good credential, unless `headers` say otherwise.
    func send(
        _ method: String,
        _ target: String,
        headers: HTTPHeaders = [:],
        body: RequestBody = .empty
    ) async throws -> LabReply {
        try await LabReply(await respond(method, target, headers: headers, body: body))
    }

    /// The same without reading the answer's body.
    func respond(
        _ method: String,
        _ target: String,
        headers: HTTPHeaders = [:],
        body: RequestBody = .empty
    ) async -> HTTPResponse {
        var headers = headers
        if !headers.contains("Authorization") { headers.append("Authorization", "token good") }
        return await pipeline.respond(
            to: HTTPRequest(method: HTTPMethod(method), target: RawTarget(target), headers: headers, body: body)
        )
    }

    /// The lines of the access log.
    var lines: [LogEntry] { log.entries.filter { $0.message == "request" } }
}

struct LabReply: Sendable {
    let status: Int
    let headers: HTTPHeaders
    let body: [UInt8]

    init(_ response: HTTPResponse) async throws {
        status = response.status.code
        headers = response.headers
        switch response.body {
        case .none: body = []
        case .bytes(let bytes): body = bytes
        case .file: body = Array("a file".utf8)
        case .stream(_, let produce):
            let pieces = Locked<[UInt8]>([])
            try await produce(ResponseWriter { piece in pieces.withLock { $0 += piece } })
            body = pieces.withLock { $0 }
        }
    }

    var text: String { String(decoding: body, as: UTF8.self) }

    var message: String {
        guard let json = try? JSONValue.parse(body), case .object(let object) = json,
            case .string(let text) = object["message"]
        else { return "" }
        return text
    }
}

/// Lets `token good` in, and nobody else.
struct OpenDoor: Authorizer {
    func admit(
        _ credential: Credential?,
        to requirement: Requirement,
        from address: String
    ) async throws -> Admission {
        guard credential?.secret.reveal() == "good" else { throw ServiceError(.unauthenticated, "Unauthorized") }
        return Admission(actor: Actor(kind: .user, userID: nil, login: "dev", sourceAddress: address))
    }
}
