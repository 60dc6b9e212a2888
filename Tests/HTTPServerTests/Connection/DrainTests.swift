import Dispatch
import Glibc
import HTTPServer
import Kernel
import Testing

extension SocketTests {
    @Suite("Draining and stopping")
    struct DrainTests {
        /// Starts a server that a test drains or cancels itself.
        private static func start(
            _ configure: (inout HTTPServerConfiguration) -> Void = { _ in },
            handler: @escaping Handler
        ) throws -> (TestServer, Task<Void, any Error>) {
            var configuration = HTTPServerConfiguration(addresses: [.init(host: "127.0.0.1", port: 0)])
            configuration.loops = 2
            configuration.timeLimits.tick = .milliseconds(20)
            configuration.limits.connectionsPerAddress = 10_000
            configure(&configuration)
            let server = Server(configuration: configuration, handler: handler)
            let port = try server.start()[0]
            return (TestServer(server: server, port: port), Task { try await server.run() })
        }

        @Test(
            "a request in progress is answered, with the end of its connection; idle ones are closed; none is accepted"
        )
        func orderly() async throws {
            let gate = AsyncStream<Void>.makeStream()
            let (server, running) = try Self.start({ $0.timeLimits.drainIdle = .milliseconds(100) }) { request in
                if request.target.path == "/slow" { for await _ in gate.stream { break } }
                return HTTPResponse(.ok, body: .bytes(Array("done".utf8)))
            }
            let (idle, fresh, busy) = try await onThread {
                let (idle, fresh, busy) = (try server.connect(), try server.connect(), try server.connect())
                try idle.send(get("/"))
                _ = try idle.response()
                try busy.send(get("/slow"))
                return (idle, fresh, busy)
            }
            _ = await eventually { server.server.counters.activeRequests == 1 }

            let drain = Task { await server.server.drain() }
            let ends = try await onThread { [idle.rest().end, fresh.rest().end] }
            let refused = try await onThread { (try? server.connect()) == nil }
            let stillWorking = server.server.counters.activeRequests
            gate.continuation.finish()
            let (response, end) = try await onThread { (try busy.response(), busy.rest().end) }
            await drain.value
            try await running.value

            #expect(ends == [.closed, .closed])
            #expect(refused)
            #expect(stillWorking == 1)
            #expect(response.text == "done")
            #expect(response.value("Connection") == "close")
            #expect(end == .closed)
        }

        @Test("a request that arrives on a connection that was used a moment ago is answered, not cut off")
        func race() async throws {
            let (server, running) = try Self.start({ $0.timeLimits.drainIdle = .seconds(60) }, handler: describe)
            let client = try await onThread {
                let client = try server.connect()
                try client.send(get("/"))
                _ = try client.response()
                return client
            }

            let drain = Task { await server.server.drain() }
            let response = try await onThread {
                while (try? server.connect()) != nil {}
                try client.send(post("/late", "hello"))
                return try client.response()
            }
            await drain.value
            try await running.value

            #expect(response.text == "POST /late 5")
            #expect(response.value("Connection") == "close")
        }

        @Test("under load, no client sees a reset and each request that was sent is answered")
        func underLoad() async throws {
            // A client that stands still for a moment is not idle yet.
            let (server, running) = try Self.start({ $0.timeLimits.drainIdle = .seconds(60) }) { request in
                if request.target.path == "/slow" { try? await Task.sleep(for: .milliseconds(5)) }
                return await describe(request)
            }
            let (begun, connected) = (Count(), Count())
            let clients = (0..<16).map { index in
                Task {
                    try await onThread { () -> String in
                        let client = try server.connect()
                        let target = index % 2 == 0 ? "/slow" : "/fast"
                        for round in 0... {
                            try client.send(post(target, String(repeating: "b", count: round % 3 * 1000)))
                            let response = try client.response()
                            if response.status != 200 { return "status \(response.status)" }
                            begun.add(1)
                            if round == 0 { connected.add(1) }
                            if response.value("Connection") == "close" { return "\(client.rest().end)" }
                        }
                        return "endless"
                    }
                }
            }
            let isUnderLoad = await eventually(within: .seconds(60)) { begun.value > 500 && connected.value == 16 }

            await server.server.drain()
            try await running.value
            var ends: [String] = []
            for client in clients { ends.append(try await client.value) }

            #expect(isUnderLoad)
            #expect(ends == [String](repeating: "closed", count: 16))
            #expect(server.server.counters.activeConnections == 0)
        }

        @Test("stopping cancels handlers and closes their connections")
        func stop() async throws {
            let cancelled = Recorder<Bool>()
            let (server, running) = try Self.start({ $0.timeLimits.stop = .seconds(60) }) { _ in
                try? await Task.sleep(for: .seconds(60))
                cancelled.add(Task.isCancelled)
                return HTTPResponse(.ok)
            }
            let clients = try await onThread {
                try (0..<10).map { _ in
                    let client = try server.connect()
                    try client.send(get("/"))
                    return client
                }
            }
            _ = await eventually { server.server.counters.activeRequests == 10 }

            running.cancel()
            try await running.value
            let rests = try await onThread { clients.map { $0.rest() } }

            #expect(cancelled.values == [Bool](repeating: true, count: 10))
            #expect(rests.allSatisfy { $0.bytes.isEmpty && $0.end != .stillOpen })
        }

        @Test("a handler that does not heed its cancellation holds a stop up for a while only")
        func stubborn() async throws {
            let gate = AsyncStream<Void>.makeStream()
            let mayAnswer = DispatchSemaphore(value: 0)
            let (server, running) = try Self.start({ $0.timeLimits.stop = .milliseconds(200) }) { _ in
                await withCheckedContinuation { continuation in
                    NamedThread.start(name: "stubborn") {
                        _ = mayAnswer.wait(timeout: .now() + 60)
                        continuation.resume()
                    }
                }
                gate.continuation.finish()
                return HTTPResponse(.ok)
            }
            let client = try await onThread {
                let client = try server.connect()
                try client.send(get("/"))
                return client
            }
            _ = await eventually { server.server.counters.activeRequests == 1 }

            let took = try await ContinuousClock().measure {
                running.cancel()
                try await running.value
            }
            mayAnswer.signal()
            // Its late answer must hit nothing.
            for await _ in gate.stream { break }

            #expect(took < .seconds(30))
            client.finishSending()
        }

        @Test("a drain that is cut off by cancelling the server returns")
        func cutOff() async throws {
            let (server, running) = try Self.start { _ in
                try? await Task.sleep(for: .seconds(60))
                return HTTPResponse(.ok)
            }
            let client = try await onThread {
                let client = try server.connect()
                try client.send(get("/"))
                return client
            }
            _ = await eventually { server.server.counters.activeRequests == 1 }

            let drain = Task { await server.server.drain() }
            let isDraining = await eventually { (try? server.connect()) == nil }
            running.cancel()
            await drain.value
            try await running.value

            #expect(isDraining)
            #expect(server.server.counters.accepted >= 1)
            client.finishSending()
        }
    }
}
