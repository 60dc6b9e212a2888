import HTTPServer
import Testing

extension SocketTests {
    /// Every request of the tables, each with another one behind it that must be answered or not.
    @Suite("Requests, sound and not")
    struct RequestCaseTests {
        private static let smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"

        enum Way: String, CaseIterable {
            case fresh = "on a fresh connection"
            case reused = "on a connection that was used before"
            case inPieces = "in pieces of seven bytes"
        }

        @Test("a request is answered as the table says, and none behind a refused one", arguments: Way.allCases)
        func table(_ way: Way) async throws {
            let served = Recorder<String>()
            let (sound, unsound) = (
                RequestCase.all.filter { $0.answer != nil }, RequestCase.all.filter { $0.answer == nil }
            )

            // The end of a head that does not end is not waited for; one that does may come late.
            let failures =
                try await Self.failures(of: unsound, way, served, head: .milliseconds(200))
                + Self.failures(of: sound, way, served, head: .seconds(60))

            #expect(RequestCase.all.count >= 170)
            #expect(failures == [])
            let followed = RequestCase.all.filter { !$0.closes }.count
            let answeredSmuggled = served.values.filter { $0 == "/smuggled" }.count
            #expect(answeredSmuggled == followed)
        }

        @Test(
            "a refused HEAD gets no body",
            arguments: ["HEAD / HTTP/1.1\r\n\r\n", "HEAD * HTTP/1.1\r\nHost: x\r\n\r\n"]
        )
        func refusedHead(_ request: String) async throws {
            try await withServer(handler: describe) { server in
                let rest = try await onThread {
                    let client = try server.connect()
                    try client.send(request)
                    return client.rest()
                }

                let text = String(decoding: rest.bytes, as: UTF8.self)
                #expect(text.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
                #expect(text.hasSuffix("\r\n\r\n"))
                #expect(!text.contains("Content-Length: 0"))
            }
        }

        /// What is wrong with the answers of a server that waits so long for the end of a head.
        private static func failures(
            of rows: [RequestCase],
            _ way: Way,
            _ served: Recorder<String>,
            head: Duration
        ) async throws -> [String] {
            let ready: @Sendable (RefusalReason) -> ReadyAnswer = { reason in
                ReadyAnswer(status: ReadyAnswer.wording(reason).status, contentType: "x/y", body: Array("ready".utf8))
            }
            return try await withServer {
                $0.readyAnswer = ready
                $0.timeLimits.head = head
                // A sender of pieces may be late, and is to see the end and not a reset.
                $0.timeLimits.linger = .seconds(60)
            } handler: { request in
                served.add(request.target.text)
                return await describe(request)
            } _: { server in
                try await onThread {
                    rows.flatMap { row in
                        do { return try Self.failures(of: row, way, server) } catch { return ["\(row.name): \(error)"] }
                    }
                }
            }
        }

        private static func failures(of row: RequestCase, _ way: Way, _ server: TestServer) throws -> [String] {
            let client = try server.connect()
            if way == .reused {
                try client.send(get("/first"))
                guard try client.response().status == 200 else { return ["\(row.name): no first answer"] }
            }
            try deliver(row.bytes + Array(smuggled.utf8), way, client)
            var failures: [String] = []
            func check(_ condition: Bool, _ message: String) {
                if !condition { failures.append("\(row.name): \(message)") }
            }
            var response = try client.response()
            if response.status == 100 { response = try client.response() }
            // Beast looks for the end of a head that came in pieces before it looks at what is in it.
            let late = way == .inPieces && response.status == 408 && row.closes
            check(response.status == row.status || late, "status \(response.status)")
            check(response.text == row.answer ?? "ready", "body \(response.text)")
            check((response.value("Connection") == "close") == row.closes, "Connection is wrong")
            if row.answer == nil { check(response.value("Content-Type") == "x/y", "not the ready answer") }
            if !row.closes {
                check(try client.response().text == "GET /smuggled 0", "the next request has another answer")
                return failures
            }
            let rest = client.rest()
            check(rest.bytes.isEmpty, "more than one answer")
            check(rest.end == .closed, "the connection is \(rest.end)")
            return failures
        }

        private static func deliver(_ bytes: [UInt8], _ way: Way, _ client: RawClient) throws {
            guard way == .inPieces, bytes.count < 5000 else {
                // The server may have refused and closed before the last byte.
                _ = client.sendAsMuchAsPossible(bytes)
                return
            }
            for start in stride(from: 0, to: bytes.count, by: 7) {
                let piece = Array(bytes[start..<min(start + 7, bytes.count)])
                guard client.sendAsMuchAsPossible(piece) == piece.count else { return }
            }
        }
    }
}
