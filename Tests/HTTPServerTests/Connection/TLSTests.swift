import Foundation
import HTTPServer
import Kernel
import Testing

extension SocketTests {
    @Suite("TLS")
    struct TLSTests {
        private static func certificates(_ names: String...) async throws -> Certificates {
            try await onThread {
                let certificates = try Certificates()
                for name in names { try certificates.make(name) }
                return certificates
            }
        }

        private static func tls(
            _ certificates: Certificates,
            _ name: String,
            minimum: HTTPServerConfiguration.TLSVersion = .v1_2
        ) throws -> HTTPServerConfiguration.TLS {
            HTTPServerConfiguration.TLS(
                certificate: try certificates.bytes("\(name).pem"),
                key: Redacted(try certificates.bytes("\(name).key")),
                minimumVersion: minimum
            )
        }

        @Test("a body goes up and down over TLS, on a connection that is used again")
        func upAndDown() async throws {
            let certificates = try await Self.certificates("one")
            let tls = try Self.tls(certificates, "one")
            let handler: Handler = { request in
                guard request.isTLS else { return HTTPResponse(.badRequest) }
                if request.method == .get {
                    let file = temporaryFile([UInt8](repeating: 120, count: 300_000))
                    return HTTPResponse(.ok, body: .file(file, offset: 1, length: 299_999))
                }
                return HTTPResponse(
                    .ok,
                    body: .stream { writer in
                        for try await piece in request.body { try await writer.write(piece) }
                    }
                )
            }
            try await withServer({ $0.tls = tls }, handler: handler) { server in
                let outcome = try await onThread {
                    try run("python3", ["-c", Self.client, "\(server.port)", certificates.path("one.pem")])
                }

                #expect(outcome.output == "True True 299999 TLSv1.3\n")
            }
        }

        private static let client = """
            import http.client, ssl, sys
            context = ssl.create_default_context(cafile=sys.argv[2])
            c = http.client.HTTPSConnection("localhost", int(sys.argv[1]), context=context, timeout=60)
            c.connect()
            version = c.sock.version()
            small = bytes(range(256)) * 4
            c.request("POST", "/", body=small)
            first = c.getresponse().read() == small
            big = bytes(range(256)) * 20000
            sock = c.sock
            c.request("GET", "/")
            down = len(c.getresponse().read())
            c.request("POST", "/", body=big[:60000])
            second = c.getresponse().read() == big[:60000] and c.sock is sock
            print(first, second, down, version)
            """

        @Test(
            "a client below the least version is refused, one at it is served",
            arguments: HTTPServerConfiguration.TLSVersion.allCases
        )
        func minimum(_ minimum: HTTPServerConfiguration.TLSVersion) async throws {
            let certificates = try await Self.certificates("one")
            let tls = try Self.tls(certificates, "one", minimum: minimum)
            try await withServer({ $0.tls = tls }, handler: describe) { server in
                let outcome = try await onThread { try run("python3", ["-c", Self.versions, "\(server.port)"]) }

                let names = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
                let served = zip(HTTPServerConfiguration.TLSVersion.allCases, names).map { version, name in
                    version.rawValue >= minimum.rawValue ? "200 \(name)" : "refused"
                }
                #expect(outcome.output == served.joined(separator: "\n") + "\n")
            }
        }

        /// One request with each version, and what came of it.
        private static let versions = """
            import http.client, ssl, sys, warnings
            warnings.simplefilter("ignore")
            for version in [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]:
                context = ssl._create_unverified_context()
                context.set_ciphers("ALL:@SECLEVEL=0")
                context.minimum_version = context.maximum_version = version
                try:
                    c = http.client.HTTPSConnection("127.0.0.1", int(sys.argv[1]), context=context, timeout=60)
                    c.request("GET", "/")
                    print(c.getresponse().status, c.sock.version())
                except (ssl.SSLError, ConnectionResetError):
                    print("refused")
            """

        @Test(
            "a client that offers other protocols only is refused",
            arguments: [("h2", false), ("h2,http/1.1", true)]
        )
        func protocols(_ offer: String, _ isServed: Bool) async throws {
            let certificates = try await Self.certificates("one")
            let tls = try Self.tls(certificates, "one")
            try await withServer({ $0.tls = tls }, handler: describe) { server in
                let outcome = try await onThread {
                    try run("openssl", ["s_client", "-connect", "127.0.0.1:\(server.port)", "-alpn", offer])
                }

                #expect(outcome.output.contains("ALPN protocol: http/1.1") == isServed)
                #expect(outcome.output.contains("no application protocol") == !isServed)
            }
        }

        @Test("plain text on the TLS port is told so", arguments: [get("/"), post("/", "hello")])
        func plainText(_ request: String) async throws {
            let certificates = try await Self.certificates("one")
            let tls = try Self.tls(certificates, "one")
            try await withServer({ $0.tls = tls }, handler: describe) { server in
                let (response, end) = try await onThread {
                    let client = try server.connect()
                    try client.send(request)
                    return (try client.response(), client.rest().end)
                }

                #expect(response.status == 400)
                #expect(response.text.contains("HTTPS"))
                #expect(end == .closed)
                #expect(server.server.counters.refused[.plainTextOnTLS] == 1)
            }
        }

        @Test(
            "garbage and silence on the TLS port end the connection",
            arguments: ["garbage that is no TLS at all\r\n\r\n", ""]
        )
        func garbage(_ bytes: String) async throws {
            let certificates = try await Self.certificates("one")
            let tls = try Self.tls(certificates, "one")
            try await withServer(
                {
                    $0.tls = tls
                    // Garbage may come late.
                    $0.timeLimits.handshake = bytes.isEmpty ? .milliseconds(300) : .seconds(60)
                },
                handler: describe
            ) { server in
                let end = try await onThread {
                    let client = try server.connect()
                    try client.send(bytes)
                    return client.rest().end
                }

                #expect(end != .stillOpen)
                let reason: RefusalReason = bytes.isEmpty ? .handshakeTimeout : .tlsFailed
                #expect(server.server.counters.refused[reason] == 1)
            }
        }

        @Test("a new certificate serves new connections, while others go on under load")
        func replacement() async throws {
            let certificates = try await Self.certificates("one", "two")
            let tls = try Self.tls(certificates, "one")
            let next = try Self.tls(certificates, "two")
            try await withServer({ $0.tls = tls }, handler: describe) { server in
                async let load = onThread { try run("python3", ["-c", Self.load, "\(server.port)"]) }
                // Python takes its time to start, and ends after a minute.
                let isUnderLoad = await eventually(within: .seconds(50)) { server.server.counters.requests > 50 }
                try server.server.replaceTLS(next)
                let outcome = try await load

                #expect(isUnderLoad)

                #expect(outcome.output == "0 True True\n")
            }
        }

        /// Four threads, new connections all the time; prints errors, and which certificates were seen.
        private static let load = """
            import http.client, ssl, sys, threading, time
            context = ssl._create_unverified_context()
            errors, names = [], set()
            def work():
                end = time.time() + 60
                after = 0
                while time.time() < end and after < 20:
                    try:
                        c = http.client.HTTPSConnection("127.0.0.1", int(sys.argv[1]), context=context, timeout=60)
                        for _ in range(3):
                            c.request("POST", "/", body=b"x" * 2000)
                            c.getresponse().read()
                        name = b"two" if b"two" in c.sock.getpeercert(True) else b"one"
                        names.add(name)
                        after += name == b"two"
                        c.close()
                    except Exception as e:
                        errors.append(repr(e))
            threads = [threading.Thread(target=work) for _ in range(4)]
            [t.start() for t in threads]
            [t.join() for t in threads]
            print(len(errors), b"one" in names, b"two" in names, *errors[:1])
            """

        @Test("a TLS client that leaves cancels its handler within a second", arguments: ["GET", "POST"])
        func leaving(_ method: String) async throws {
            let certificates = try await Self.certificates("one")
            let tls = try Self.tls(certificates, "one")
            let cancelled = Recorder<Bool>()
            let script = """
                import socket, ssl, sys, time
                s = ssl._create_unverified_context().wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
                s.sendall(sys.argv[2].encode() + b" / HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 9\\r\\n\\r\\nhello")
                time.sleep(0.2)
                s.close()
                """
            try await withServer(
                { $0.tls = tls },
                handler: { request in
                    if request.method == .post { _ = try? await request.body.collect(upTo: 100) }
                    while !Task.isCancelled { try? await Task.sleep(for: .seconds(60)) }
                    cancelled.add(true)
                    return HTTPResponse(.ok)
                }
            ) { server in
                // Soon in one of three tries: a busy machine may be slow to run a handler that was told in time.
                var isSoon = false
                for attempt in 1...3 where !isSoon {
                    _ = try await onThread { try run("python3", ["-c", script, "\(server.port)", method]) }
                    isSoon = await eventually(within: .seconds(1)) { cancelled.count == attempt }
                    #expect(await eventually { cancelled.count == attempt })
                }
                #expect(isSoon)
            }
        }

        @Test("a certificate that does not fit is refused, and the old one stays")
        func badReplacement() async throws {
            let certificates = try await Self.certificates("one", "two")
            var bad = try Self.tls(certificates, "two")
            bad.key = Redacted(try certificates.bytes("one.key"))
            let tls = try Self.tls(certificates, "one")
            try await withServer({ $0.tls = tls }, handler: describe) { server in
                let error = #expect(throws: ServiceError.self) { try server.server.replaceTLS(bad) }
                let outcome = try await onThread {
                    try run(
                        "curl",
                        ["-s", "--cacert", certificates.path("one.pem"), "https://localhost:\(server.port)/"]
                    )
                }

                #expect(error?.message == "TLS: the private key does not belong to the certificate")
                #expect(outcome.output == "GET / 0")
            }
        }
    }
}
