import HTTPServer
import Kernel
import Testing

extension SocketTests {
    /// The client leaves at each state, in each way; the handler is cancelled and everything is given back.
    @Suite("Clients that leave")
    struct DisconnectTests {
        enum Leaving: String, CaseIterable {
            case closes, resets, finishesSending
        }

        private static func leave(_ client: RawClient, _ leaving: Leaving) {
            switch leaving {
            case .closes: client.end()
            case .resets: client.reset()
            case .finishesSending: client.finishSending()
            }
        }

        private typealias Work =
            @Sendable (HTTPRequest, @escaping @Sendable () -> Void) async throws -> HTTPResponse

        /// Sends `request`, waits until the handler is at work, leaves, and gives how long the handler went on.
        ///
        /// The shortest of up to three tries: a busy machine may be slow to run a handler that was told in time.
        private static func cancellation(
            _ request: String,
            _ leaving: Leaving,
            _ work: @escaping Work
        ) async throws -> Duration? {
            var shortest: Duration?
            for _ in 0..<3 where shortest.map({ $0 >= .seconds(1) }) ?? true {
                guard let took = try await oneCancellation(request, leaving, work) else { continue }
                shortest = min(shortest ?? took, took)
            }
            return shortest
        }

        private static func oneCancellation(
            _ request: String,
            _ leaving: Leaving,
            _ work: @escaping Work
        ) async throws -> Duration? {
            let started = Recorder<Void>()
            let ended = Recorder<(cancelled: Bool, at: ContinuousClock.Instant)>()
            return try await withServer(
                { $0.timeLimits.tick = .milliseconds(250) },
                handler: { request in
                    do {
                        let response = try await work(request) { started.add(()) }
                        guard case .stream(_, let produce) = response.body else {
                            ended.add((Task.isCancelled, .now))
                            return response
                        }
                        return HTTPResponse(
                            .ok,
                            body: .stream { writer in
                                defer { ended.add((Task.isCancelled, .now)) }
                                try await produce(writer)
                            }
                        )
                    } catch {
                        ended.add((Task.isCancelled, .now))
                        return HTTPResponse(.badRequest)
                    }
                }
            ) { server in
                let client = try await onThread {
                    let client = try server.connect()
                    try client.send(request)
                    return client
                }
                guard await eventually({ started.count > 0 }) else { return nil }
                let left = ContinuousClock.now
                leave(client, leaving)
                let isOver = await eventually { ended.count > 0 && server.server.counters.activeConnections == 0 }
                withExtendedLifetime(client) {}
                // One that goes on or ended by itself is a fault, however slow the machine is.
                #expect(isOver && ended.values.allSatisfy { $0.cancelled })
                return ended.values.first.map { $0.at - left }
            }
        }

        private static func untilCancelled() async {
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(60)) }
        }

        @Test("while the handler is at work and reads nothing", arguments: Leaving.allCases)
        func handling(_ leaving: Leaving) async throws {
            let took = try await Self.cancellation(get("/"), leaving) { _, started in
                started()
                await Self.untilCancelled()
                return HTTPResponse(.ok)
            }

            #expect(try #require(took) < .seconds(1))
        }

        @Test("while unread body bytes lie in the socket", arguments: Leaving.allCases)
        func unreadBody(_ leaving: Leaving) async throws {
            let request =
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n\(String(repeating: "a", count: 90_000))"

            let took = try await Self.cancellation(request, leaving) { _, started in
                started()
                await Self.untilCancelled()
                return HTTPResponse(.ok)
            }

            #expect(try #require(took) < .seconds(1))
        }

        @Test("while the next requests lie in the socket", arguments: Leaving.allCases)
        func pipelined(_ leaving: Leaving) async throws {
            let took = try await Self.cancellation(get("/") + get("/b") + get("/c"), leaving) { _, started in
                started()
                await Self.untilCancelled()
                return HTTPResponse(.ok)
            }

            #expect(try #require(took) < .seconds(1))
        }

        @Test("while the handler waits for a piece", arguments: Leaving.allCases)
        func reading(_ leaving: Leaving) async throws {
            let request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhello"

            let took = try await Self.cancellation(request, leaving) { request, started in
                started()
                _ = try await request.body.collect(upTo: 1000)
                return HTTPResponse(.ok)
            }

            #expect(try #require(took) < .seconds(1))
        }

        @Test("in the middle of a chunk", arguments: Leaving.allCases)
        func chunk(_ leaving: Leaving) async throws {
            let took = try await Self.cancellation(chunkedPost("/", "5\r\nhe"), leaving) { request, started in
                started()
                _ = try await request.body.collect(upTo: 1000)
                return HTTPResponse(.ok)
            }

            #expect(try #require(took) < .seconds(1))
        }

        @Test("while a piece of the answer waits for the client", arguments: Leaving.allCases)
        func writing(_ leaving: Leaving) async throws {
            let took = try await Self.cancellation(get("/"), leaving) { _, started in
                HTTPResponse(
                    .ok,
                    body: .stream { writer in
                        try await writer.write([97])
                        started()
                        while true { try await writer.write([UInt8](repeating: 97, count: 200_000)) }
                    }
                )
            }

            #expect(try #require(took) < .seconds(1))
        }

        @Test("between two pieces of the answer", arguments: Leaving.allCases)
        func betweenPieces(_ leaving: Leaving) async throws {
            let took = try await Self.cancellation(get("/"), leaving) { _, started in
                HTTPResponse(
                    .ok,
                    body: .stream { writer in
                        try await writer.write([97])
                        started()
                        await Self.untilCancelled()
                        try Task.checkCancellation()
                    }
                )
            }

            #expect(try #require(took) < .seconds(1))
        }

        @Test(
            "before anything, in a head, and between requests: nothing is left",
            arguments: ["", "GET / HT", get("/")]
        )
        func noHandler(_ bytes: String) async throws {
            try await withServer(handler: describe) { server in
                for leaving in Leaving.allCases {
                    let client = try await onThread {
                        let client = try server.connect()
                        try client.send(bytes)
                        if bytes == get("/") { _ = try client.response() }
                        return client
                    }
                    _ = await eventually { server.server.counters.activeConnections == 1 }
                    Self.leave(client, leaving)

                    let isGone = await eventually { server.server.counters.activeConnections == 0 }
                    #expect(isGone)
                    withExtendedLifetime(client) {}
                }
            }
        }

        @Test("thousands of clients that connect and leave at once leave nothing behind")
        func many() async throws {
            try await withServer(handler: describe) { server in
                try await onThread {
                    for index in 0..<(isLong ? 100_000 : 3000) {
                        let client = try server.connect()
                        if index % 3 > 0 { try client.send(index % 3 == 1 ? "GET / HT" : post("/", "hello")) }
                        if index % 2 == 0 { client.reset() }
                    }
                }

                let isClean = await eventually {
                    server.server.counters.activeConnections == 0 && server.server.counters.activeRequests == 0
                }
                #expect(isClean)
                let status = try await onThread {
                    let client = try server.connect()
                    try client.send(get("/"))
                    return try client.response().status
                }
                #expect(status == 200)
            }
        }
    }
}
