import HTTPServer
import Kernel
package import OutboundHTTP
package import Transfers

/// A service on this machine that a test plays.
package final class ScriptedServer: Sendable {
    /// What came, as a test looks at it.
    package struct Call: Sendable, Equatable {
        package var method: String
        package var target: String
        package var headers: [String: String]
        package var body: String
    }

    package struct Answer: Sendable {
        package var status: Int
        package var body: String
        package var headers: [(name: String, value: String)] = []
        /// How long nothing is said.
        package var pause = Duration.zero

        package init(status: Int = 200, body: String = "") {
            self.status = status
            self.body = body
        }

        /// The same, saying that it will stay so: nobody asks again.
        package var lasting: Answer {
            var answer = self
            answer.headers.append(("Retry-After", "86400"))
            return answer
        }
    }

    private let recorded = Locked<[Call]>([])
    private let port = Locked(0)

    private init() {}

    package var url: String { "http://127.0.0.1:\(port.withLock { $0 })" }
    /// What came so far, in order.
    package var calls: [Call] { recorded.withLock { $0 } }

    /// Runs `body` beside a server; `headers` are those whose values the test wants to see.
    package static func run(
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
            if answer.pause > .zero { try? await Task.sleep(for: answer.pause) }
            var response = HTTPResponse(HTTPStatus(answer.status), body: .bytes(Array(answer.body.utf8)))
            for header in answer.headers { response.headers.append(header.name, header.value) }
            return response
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
///
/// - Parameter leastAttempt: as `ServiceClient` has it; long, because a busy machine is no service that is away. Tests
///   of the limits themselves say zero.
package func makeClient(leastAttempt: Duration = .seconds(30)) throws -> ServiceClient {
    ServiceClient(
        try OutboundConfiguration(settings: Settings([:])),
        transfers: Transfers(),
        leastAttempt: leastAttempt
    )
}

extension TransferRequest {
    /// The same for a test that is about something else: an answer is waited for as long as a busy machine may need.
    package var patient: TransferRequest {
        var request = self
        request.limits.connect = .seconds(60)
        request.limits.total = .seconds(60)
        request.limits.stall = .seconds(60)
        return request
    }
}
