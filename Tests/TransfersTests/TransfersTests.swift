import HTTPServer
import Kernel
import ServiceTestKit
import Testing
import Transfers

@Suite("Requests to other servers")
struct TransfersTests {
    private let transfers = Transfers()

    @Test("carry method, path, headers and body as they are", arguments: ["GET", "PUT", "POST", "DELETE", "PATCH"])
    func sends(method: String) async throws {
        let body = method == "GET" ? nil : Array("the body of \(method)".utf8)
        try await withEcho { port in
            let response = try await transfers.perform(
                TransferRequest(
                    method,
                    "http://127.0.0.1:\(port)/a/../b%2Fc/?x=1&y",
                    headers: [("X-One", "1"), ("X-Empty", ""), ("Content-Type", "text/odd")],
                    body: body
                ).patient
            )

            #expect(response.status == 200)
            #expect(response[header: "x-method"] == method)
            #expect(response[header: "X-Target"] == "/a/../b%2Fc/?x=1&y")
            #expect(response[header: "X-Seen-One"] == "1")
            #expect(response[header: "X-Seen-Empty"] == "there")
            #expect(response[header: "X-Seen-Type"] == "text/odd")
            #expect(response.body == body ?? [])
        }
    }

    @Test("carry bodies of every size, both ways", arguments: [0, 1, 65_536, 9_000_000])
    func carries(count: Int) async throws {
        let body = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7) }
        try await withEcho { port in
            var request = TransferRequest("POST", "http://127.0.0.1:\(port)/", body: body).patient
            request.limits.body = count

            let response = try await transfers.perform(request)

            #expect(response.body == body)
            #expect(response[header: "X-Seen-Type"] == "none")
        }
    }

    @Test("give the head alone for HEAD, whose length is that of no body")
    func heads() async throws {
        try await withEcho { port in
            var request = TransferRequest("HEAD", "http://127.0.0.1:\(port)/large").patient
            request.limits.body = 10

            let response = try await transfers.perform(request)

            #expect(response.status == 200)
            #expect(response[header: "Content-Length"] == "100000")
            #expect(response.body.isEmpty)
            request.method = "GET"
            #expect(await Self.error(of: request, transfers)?.reason == .tooLarge)
        }
    }

    @Test("run side by side on kept connections, and on new ones when none may be kept")
    func keepsConnections() async throws {
        try await withEcho { port in
            var request = TransferRequest("GET", "http://127.0.0.1:\(port)/").patient
            request.trust.keepsConnection = true
            let first = try await transfers.perform(request)
            let second = try await transfers.perform(request)
            request.trust.keepsConnection = false
            let third = try await transfers.perform(request)

            #expect(first[header: "X-Peer"] == second[header: "X-Peer"])
            #expect(second[header: "X-Peer"] != third[header: "X-Peer"])
            let statuses = try await withThrowingTaskGroup(of: Int.self) { [transfers] group in
                for index in 0..<50 {
                    group.addTask {
                        let body = Array("\(index)".utf8)
                        let request = TransferRequest("POST", "http://127.0.0.1:\(port)/", body: body)
                        let response = try await transfers.perform(request.patient)
                        return response.body == body ? response.status : 0
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == [Int](repeating: 200, count: 50))
        }
    }

    @Test("end when their task is cancelled, before or after they began", .timeLimit(.minutes(1)))
    func cancels() async throws {
        try await withEcho { port in
            let waiting = TransferRequest("GET", "http://127.0.0.1:\(port)/never").patient
            let error = await withTaskGroup(of: TransferError?.self) { [transfers] group in
                group.addTask { await Self.error(of: waiting, transfers) }
                try? await ContinuousClock().sleep(for: .milliseconds(50))
                group.cancelAll()
                group.addTask { await Self.error(of: waiting, transfers) }
                return await group.reduce(into: []) { $0.append($1) }
            }

            #expect(error.map { $0?.reason } == [.cancelled, .cancelled])
        }
    }

    @Test("end at their limits of time", .timeLimit(.minutes(1)), arguments: [true, false])
    func timesOut(isStall: Bool) async throws {
        try await withEcho { port in
            var request = TransferRequest("GET", "http://127.0.0.1:\(port)/never")
            request.limits.total = isStall ? .seconds(60) : .milliseconds(200)
            request.limits.stall = isStall ? .seconds(1) : .seconds(60)

            #expect(await Self.error(of: request, transfers)?.reason == .timedOut)
        }
    }

    @Test("fail when the answer ends before its stated length")
    func noticesTruncation() async throws {
        try await withEcho { port in
            let request = TransferRequest("GET", "http://127.0.0.1:\(port)/short").patient

            #expect(await Self.error(of: request, transfers)?.reason == .failed)
        }
    }

    @Test("refuse text that would end early or begin another header", arguments: ["a\u{0}b", "a\r\nX: y", "a\nb"])
    func refusesText(text: String) async throws {
        let headers = TransferRequest("GET", "http://127.0.0.1/", headers: [("X", text)])
        let url = TransferRequest("GET", "http://127.0.0.1/\(text)")

        #expect(await Self.error(of: headers, transfers)?.reason == .badURL)
        #expect(await Self.error(of: url, transfers)?.reason == .badURL)
    }

    // MARK: - Support

    private static func error(of request: TransferRequest, _ transfers: Transfers) async -> TransferError? {
        do {
            _ = try await transfers.perform(request)
            return nil
        } catch {
            return error
        }
    }

    /// Runs `body` beside a server that sends back what it got.
    private func withEcho(_ body: (Int) async throws -> Void) async throws {
        let configuration = HTTPServerConfiguration(addresses: [.init(host: "127.0.0.1", port: 0)])
        let server = Server(configuration: configuration) { request in
            do { return try await Self.answer(request) } catch { return HTTPResponse(HTTPStatus(500)) }
        }
        let port = try server.start()[0]
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            try await body(port)
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private static func answer(_ request: HTTPRequest) async throws -> HTTPResponse {
        switch request.target.path {
        case "/never":
            try await ContinuousClock().sleep(for: .seconds(3600))
            return HTTPResponse(HTTPStatus(500))
        case "/large":
            return HTTPResponse(HTTPStatus(200), body: .bytes([UInt8](repeating: 1, count: 100_000)))
        case "/short":
            return HTTPResponse(
                HTTPStatus(200),
                body: .stream(length: 100) { writer in
                    try await writer.write([1, 2, 3])
                    throw CancellationError()
                }
            )
        default:
            var bytes: [UInt8] = []
            for try await piece in request.body { bytes += piece }
            return HTTPResponse(
                HTTPStatus(200),
                headers: [
                    "X-Method": "\(request.method)", "X-Target": request.target.description,
                    "X-Seen-One": request.headers["X-One"] ?? "none",
                    "X-Seen-Empty": request.headers["X-Empty"] == "" ? "there" : "none",
                    "X-Seen-Type": request.headers["Content-Type"] ?? "none", "X-Peer": "\(request.peer)",
                ],
                body: .bytes(bytes)
            )
        }
    }
}
