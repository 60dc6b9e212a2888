import HTTPServer
import Kernel
import OutboundHTTP
import Transfers

/// A service on this machine that a test plays.
final class ScriptedServer: Sendable {
    /// What came, as a test looks at it.
    struct Call: Sendable, Equatable {
        var method: String
        var target: String
        var headers: [String: String]
        var body: String
    }

    struct Answer: Sendable {
        var status = 200
        var body = ""
    }

    private let recorded = Locked<[Call]>([])
    private let port = Locked(0)

    private init() {}

    var url: String { "http://127.0.0.1:\(port.withLock { $0 })" }
    var calls: [Call] { recorded.withLock { $0 } }

    /// Runs `body` beside a server; `headers` are those whose values the test wants to see.
    static func run(
        headers: [String] = [],
        answer: @escaping @Sendable (Call) -> Answer,
        _ body: (ScriptedServer) async throws -> Void
    ) async throws {
        let scripted = ScriptedServer()
        let configuration = HTTPServerConfiguration(addresses: [.init(host: "127.0.0.1", port: 0)])
        let server = Server(configuration: configuration) { request in
            var bytes: [UInt8] = []
            do {
                for try await piece in request.body { bytes += piece }
            } catch {
                return HTTPResponse(HTTPStatus(500))
            }
            var call = Call(
                method: "\(request.method)",
                target: request.target.description,
                headers: [:],
                body: String(decoding: bytes, as: UTF8.self)
            )
            for name in headers { call.headers[name] = request.headers[name] }
            let seen = call
            scripted.recorded.withLock { $0.append(seen) }
            let answer = answer(call)
            return HTTPResponse(HTTPStatus(answer.status), body: .bytes(Array(answer.body.utf8)))
        }
        let port = try server.start()[0]
        scripted.port.withLock { $0 = port }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            try await body(scripted)
            group.cancelAll()
            try await group.waitForAll()
        }
    }
}

/// A client without proxies, for services of this machine.
func makeClient() throws -> ServiceClient {
    ServiceClient(try OutboundConfiguration(settings: Settings([:])), transfers: Transfers())
}
