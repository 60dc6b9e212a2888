import HTTPServer
import Testing

extension SocketTests {
    @Suite("Time limits")
    struct TimeLimitTests {
        /// Short ones, so that the tests are.
        private static func short(_ configuration: inout HTTPServerConfiguration) {
            configuration.timeLimits.head = .milliseconds(300)
            configuration.timeLimits.rateGrace = .milliseconds(300)
            configuration.timeLimits.rateWindow = .milliseconds(600)
        }

        @Test("a head that does not end in time is answered with 408")
        func head() async throws {
            try await withServer(Self.short, handler: describe) { server in
                let (response, end, took) = try await onThread {
                    let client = try server.connect()
                    let start = ContinuousClock.now
                    try client.send("GET / HT")
                    let response = try client.response()
                    return (response, client.rest().end, ContinuousClock.now - start)
                }

                #expect(response.status == 408)
                #expect(end == .closed)
                #expect((.milliseconds(250)...(.seconds(9.5))).contains(took))
                #expect(server.server.counters.refused[.headTimeout] == 1)
            }
        }

        @Test("bytes that drip do not move the end of the time for a head")
        func drip() async throws {
            try await withServer(Self.short, handler: describe) { server in
                let took = try await onThread {
                    let client = try server.connect()
                    let start = ContinuousClock.now
                    try client.send("GET / HTTP/1.1\r\nHost: x\r\nA: ")
                    // Each wait is one for an answer, and gives up after a moment.
                    while (try? client.receive(within: 0.02)) == nil, ContinuousClock.now - start < .seconds(20) {
                        guard client.sendAsMuchAsPossible([97]) == 1 else { break }
                    }
                    return ContinuousClock.now - start
                }

                #expect(took < .seconds(9.5))
            }
        }

        @Test("an idle connection is closed without a word, used before or not", arguments: [true, false])
        func idle(_ wasUsed: Bool) async throws {
            try await withServer({ $0.timeLimits.idle = .milliseconds(300) }, handler: describe) { server in
                let (rest, took) = try await onThread {
                    let start = ContinuousClock.now
                    let client = try wasUsed ? Self.used(server).client : server.connect()
                    return (client.rest(), ContinuousClock.now - start)
                }

                #expect(rest.bytes.isEmpty)
                #expect(rest.end == .closed)
                #expect((.milliseconds(250)...(.seconds(40))).contains(took))
            }
        }

        /// A client, and what its request was answered with.
        ///
        /// One of up to three: on a busy machine a client may be idle for too long before it sends anything.
        private static func used(
            _ server: TestServer,
            tries: Int = 3
        ) throws -> (client: RawClient, response: RawClient.Response) {
            let client = try server.connect()
            _ = client.sendAsMuchAsPossible(Array(post("/", "hello").utf8))
            if let response = try? client.response() { return (client, response) }
            guard tries > 1 else { throw RawClient.Problem(description: "no answer, whoever asked") }
            return try used(server, tries: tries - 1)
        }

        @Test("a body that stalls is answered with 408, and its handler is cancelled", arguments: [true, false])
        func stalledBody(_ isChunked: Bool) async throws {
            let outcome = Recorder<String>()
            try await withServer(
                Self.short,
                handler: { request in
                    do {
                        _ = try await request.body.collect(upTo: 1000)
                        outcome.add("whole")
                    } catch {
                        outcome.add("\(error is CancellationError) \(Task.isCancelled)")
                    }
                    return HTTPResponse(.ok)
                }
            ) { server in
                let (response, end) = try await onThread {
                    let client = try server.connect()
                    let length = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhello"
                    try client.send(isChunked ? chunkedPost("/", "5\r\nhello\r\n5\r\nhe") : length)
                    return (try client.response(), client.rest().end)
                }

                #expect(response.status == 408)
                #expect(end == .closed)
                #expect(await eventually { outcome.count > 0 })
                #expect(outcome.values == ["true true"])
                #expect(server.server.counters.refused[.bodyTimeout] == 1)
            }
        }

        @Test(
            "a body that drips below the least rate is given up; one above it is not",
            arguments: [(50, 408), (6000, 200)]
        )
        func rate(_ bytesPerStep: Int, _ status: Int) async throws {
            // A client that is kept from sending for a moment is too slow as well, and on a busy machine it may be.
            var answers: [String] = []
            for _ in 0..<3 where answers.last?.hasPrefix("HTTP/1.1 \(status) ") != true {
                answers.append(try await Self.drip(bytesPerStep))
            }

            #expect(answers.last?.hasPrefix("HTTP/1.1 \(status) ") == true, "\(answers)")
        }

        private static func drip(_ bytesPerStep: Int) async throws -> String {
            try await withServer(short, handler: describe) { server in
                try await onThread {
                    let client = try server.connect()
                    let steps = 20
                    try client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(steps * bytesPerStep)\r\n\r\n")
                    var answer: [UInt8]?
                    for _ in 0..<steps where answer == nil {
                        // One step each 100 ms: 500 bytes per second, or 60,000.
                        _ = client.sendAsMuchAsPossible([UInt8](repeating: 97, count: bytesPerStep))
                        answer = try? client.receive(within: 0.1)
                    }
                    return String(decoding: try answer ?? client.receive() ?? [], as: UTF8.self)
                }
            }
        }

        @Test("a handler that takes its time is not hurried")
        func slowHandler() async throws {
            try await withServer(
                {
                    Self.short(&$0)
                    $0.timeLimits.idle = .milliseconds(300)
                },
                handler: { _ in
                    try? await Task.sleep(for: .seconds(1))
                    return HTTPResponse(Task.isCancelled ? .requestTimeout : .ok)
                }
            ) { server in
                let status = try await onThread { try Self.used(server).response.status }

                #expect(status == 200)
            }
        }

        @Test(
            "a client that does not read its answer is given up, and the handler cancelled",
            arguments: [true, false]
        )
        func slowReader(_ isFile: Bool) async throws {
            let outcome = Recorder<Bool>()
            let file = temporaryFile([UInt8](repeating: 1, count: 40_000_000))
            try await withServer(
                Self.short,
                handler: { _ in
                    if isFile { return HTTPResponse(.ok, body: .file(file, offset: 0, length: 40_000_000)) }
                    return HTTPResponse(
                        .ok,
                        body: .stream { writer in
                            defer { outcome.add(Task.isCancelled) }
                            while true { try await writer.write([UInt8](repeating: 97, count: 100_000)) }
                        }
                    )
                }
            ) { server in
                let client = try await onThread {
                    let client = try server.connect()
                    try client.send(get("/"))
                    return client
                }

                let isGivenUp = await eventually {
                    let counters = server.server.counters
                    return counters.requests == 1 && counters.activeConnections == 0
                }
                #expect(isGivenUp)
                #expect(server.server.counters.refused[.writeTimeout] == 1)
                #expect(await eventually { server.server.counters.activeRequests == 0 })
                #expect(outcome.values == (isFile ? [] : [true]))
                client.finishSending()
            }
        }

        @Test("many slow readers are all given up, and another client is served meanwhile")
        func manySlowReaders() async throws {
            let count = isLong ? 500 : 100
            let file = temporaryFile([UInt8](repeating: 1, count: 40_000_000))
            try await withServer(
                Self.short,
                handler: { request in
                    guard request.target.path == "/file" else { return HTTPResponse(.ok) }
                    return HTTPResponse(.ok, body: .file(file, offset: 0, length: 40_000_000))
                }
            ) { server in
                let (slow, status) = try await onThread {
                    let slow = try (0..<count).map { _ in
                        let client = try RawClient(port: server.port, receiveBuffer: 4096)
                        try client.send(get("/file"))
                        return client
                    }
                    let client = try server.connect()
                    try client.send(get("/"))
                    return (slow, try client.response().status)
                }

                let areGivenUp = await eventually { server.server.counters.refused[.writeTimeout] == UInt64(count) }
                #expect(status == 200)
                #expect(areGivenUp)
                withExtendedLifetime(slow) {}
            }
        }

        @Test("500 slow senders are all given up, and another client is served meanwhile")
        func manySlow() async throws {
            try await withServer(
                { configuration in
                    Self.short(&configuration)
                    configuration.timeLimits.head = .seconds(1)
                },
                handler: describe
            ) { server in
                let (served, slow) = try await onThread {
                    let slow = try (0..<500).map { _ in
                        let client = try server.connect()
                        try client.send("GET / HTTP/1.1\r\nHost")
                        return client
                    }
                    let client = try server.connect()
                    try client.send(get("/"))
                    let served = try client.response().status
                    return (served, slow.map { (try? $0.response().status) ?? 0 })
                }

                #expect(served == 200)
                #expect(slow == [Int](repeating: 408, count: 500))
                #expect(await eventually { server.server.counters.activeConnections <= 1 })
            }
        }
    }
}
