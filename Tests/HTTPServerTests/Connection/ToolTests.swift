import HTTPServer
import Testing

extension SocketTests {
    /// Clients that others wrote.
    @Suite("Other clients")
    struct ToolTests {
        private static let refuse: Handler = { _ in HTTPResponse(.unauthorized, body: .bytes(Array("no".utf8))) }

        /// A client that stands still for a moment is to see its answer and not a reset.
        private static func patient(_ configuration: inout HTTPServerConfiguration) {
            configuration.timeLimits.linger = .seconds(60)
        }

        @Test("curl sees an early answer to an upload of 100 MB", arguments: [true, false])
        func curl(_ waits: Bool) async throws {
            try await withServer(Self.patient, handler: Self.refuse) { server in
                let outcome = try await onThread {
                    let folder = try TemporaryFolder()
                    let file = folder.file("big")
                    _ = try run("truncate", ["-s", "100M", file])
                    let expect = waits ? "Expect: 100-continue" : "Expect:"
                    return try run(
                        "curl",
                        [
                            "-s", "-S", "-w", " %{http_code}", "-H", expect, "-X", "POST", "--data-binary", "@\(file)",
                            "http://127.0.0.1:\(server.port)/",
                        ]
                    )
                }

                #expect(outcome.output == "no 401")
                #expect(outcome.status == 0)
            }
        }

        @Test("Python's http.client sees an early answer to an upload of 100 MB")
        func python() async throws {
            let script = """
                import http.client, sys
                c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=60)
                c.putrequest("POST", "/")
                c.putheader("Content-Length", str(100 * 1024 * 1024))
                c.endheaders()
                try:
                    for _ in range(100):
                        c.send(b"x" * 1024 * 1024)
                except (BrokenPipeError, ConnectionResetError) as e:
                    pass
                r = c.getresponse()
                print(r.status, r.read().decode())
                """
            try await withServer(Self.patient, handler: Self.refuse) { server in
                let outcome = try await onThread { try run("python3", ["-c", script, "\(server.port)"]) }

                #expect(outcome.output == "401 no\n")
            }
        }

        @Test("curl uploads a body in chunks and gets one back")
        func chunks() async throws {
            try await withServer(handler: { request in
                HTTPResponse(
                    .ok,
                    body: .stream { writer in
                        for try await piece in request.body { try await writer.write(piece) }
                    }
                )
            }) { server in
                let outcome = try await onThread {
                    try run(
                        "curl",
                        ["-s", "-H", "Expect:", "-T", "-", "http://127.0.0.1:\(server.port)/"],
                        input: String(repeating: "0123456789", count: 5000)
                    )
                }

                #expect(outcome.output == String(repeating: "0123456789", count: 5000))
            }
        }

        @Test("curl keeps its connection over requests of all kinds")
        func reuse() async throws {
            try await withServer(handler: describe) { server in
                let outcome = try await onThread {
                    let url = "http://127.0.0.1:\(server.port)"
                    return try run(
                        "curl",
                        [
                            "-s", "\(url)/a", "\(url)/b?c=d", "--next", "-s", "-d", "hello", "\(url)/e", "--next", "-s",
                            "-I",
                            "-o", "/dev/null", "\(url)/f", "--next", "-s", "-X", "DELETE", "-w", " %{num_connects}",
                            "\(url)/g",
                        ]
                    )
                }

                #expect(outcome.output == "GET /a 0GET /b?c=d 0POST /e 5DELETE /g 0 0")
                #expect(server.server.counters.accepted == 1)
            }
        }
    }
}
