import Foundation
import HTTPServer
import Kernel
import Testing

extension SocketTests {
    @Suite("Starting")
    struct StartTests {
        private static func message(_ configure: (inout HTTPServerConfiguration) throws -> Void) throws -> String {
            var configuration = HTTPServerConfiguration(addresses: [.init(host: "127.0.0.1", port: 0)])
            try configure(&configuration)
            let server = Server(configuration: configuration, handler: describe)
            let error = #expect(throws: ServiceError.self) { try server.start() }
            return error?.message ?? "started"
        }

        @Test("an address in use is named, with what to do")
        func inUse() async throws {
            try await withServer(handler: describe) { server in
                let message = try Self.message { $0.addresses = [.init(host: "127.0.0.1", port: server.port)] }

                #expect(
                    message == "127.0.0.1:\(server.port) is already in use: stop the process that listens there, "
                        + "or choose another port"
                )
            }
        }

        @Test("when the second address is in use, the first one is free again")
        func secondInUse() async throws {
            try await withServer(handler: describe) { server in
                let free = try await withServer(handler: describe) { $0.port }
                let addresses = [free, server.port].map { HTTPServerConfiguration.Address(host: "127.0.0.1", port: $0) }

                let message = try Self.message { $0.addresses = addresses }
                let again = Server(configuration: HTTPServerConfiguration(addresses: [addresses[0]]), handler: describe)
                let ports = try again.start()
                let running = Task { try await again.run() }
                await again.drain()
                try await running.value

                #expect(message.hasPrefix("127.0.0.1:\(server.port) is already in use"))
                #expect(ports == [free])
            }
        }

        @Test(
            "an address that is none of this machine's is named",
            arguments: ["192.0.2.1", "no such host", "300.1.1.1", "::ffff:0:0:1"]
        )
        func noAddress(_ host: String) throws {
            let message = try Self.message { $0.addresses = [.init(host: host, port: 8080)] }

            #expect(message.contains(host))
            #expect(message.contains("cannot be listened on ("))
            #expect(!message.contains("\n"))
        }

        @Test("settings that make no sense are refused")
        func settings() throws {
            let messages = [
                try Self.message { $0.addresses = [] },
                try Self.message { $0.addresses[0].port = 65_536 },
                try Self.message { $0.addresses[0].port = -1 },
                try Self.message { $0.loops = 0 },
                try Self.message { $0.limits.headBytes = 65_537 },
                try Self.message { $0.limits.targetBytes = 65_537 },
                try Self.message { $0.limits.connections = 0 },
                try Self.message { $0.timeLimits.minimumRate = 0 },
                try Self.message { $0.timeLimits.tick = .zero },
                try Self.message { $0.serverName = "a\r\nb" },
                try Self.message { $0.limits.unlimitedAddresses = ["10.0.0.0/33"] },
                try Self.message { $0.limits.unlimitedAddresses = ["10.0.0"] },
                try Self.message { $0.limits.unlimitedAddresses = ["::/129"] },
                try Self.message { $0.limits.unlimitedAddresses = ["10.0.0.0/"] },
            ]

            #expect(messages.allSatisfy { $0.hasPrefix("HTTP server: ") }, "\(messages)")
        }

        @Test("what is wrong with certificate or key is said precisely")
        func certificates() async throws {
            let made = try await onThread {
                let made = try Certificates()
                try made.make("a")
                try made.make("b")
                let (key, certificate) = (made.path("a.key"), made.path("a.pem"))
                try made.openssl(["x509", "-in", certificate, "-outform", "der", "-out", made.path("a.der")])
                try made.openssl(["pkey", "-in", key, "-outform", "der", "-out", made.path("key.der")])
                try made.openssl([
                    "pkey", "-in", key, "-aes256", "-passout", "pass:x", "-out", made.path("encrypted.key"),
                ])
                try made.openssl(["ec", "-in", key, "-aes256", "-passout", "pass:x", "-out", made.path("old.key")])
                return made
            }
            let certificate = try made.bytes("a.pem")
            let key = try made.bytes("a.key")
            let text = String(decoding: certificate, as: UTF8.self)
            let cut = Array(text.replacingOccurrences(of: "MII", with: "M!I").utf8)
            let rows: [(certificate: [UInt8], key: [UInt8], message: String)] = [
                ([], key, "TLS: the certificate is empty"),
                (certificate, Array(" \n".utf8), "TLS: the private key is empty"),
                (
                    try made.bytes("a.der"), key,
                    "TLS: the certificate is in DER form; PEM is needed (convert it with openssl)"
                ),
                (certificate, try made.bytes("key.der"), "TLS: the private key is in DER form"),
                (
                    certificate, try made.bytes("encrypted.key"),
                    "TLS: the private key is encrypted; store it without a passphrase"
                ),
                (
                    certificate, try made.bytes("old.key"),
                    "TLS: the private key is encrypted; store it without a passphrase"
                ),
                (certificate, try made.bytes("b.key"), "TLS: the private key does not belong to the certificate"),
                (key, certificate, "TLS: the certificate has no PEM block that ends in \"CERTIFICATE-----\""),
                (certificate, certificate, "TLS: the private key has no PEM block that ends in \"PRIVATE KEY-----\""),
                (Array("garbage".utf8), key, "TLS: the certificate has no PEM block"),
                (cut, key, "TLS: the certificate cannot be used: "),
                (certificate + cut, key, "TLS: a certificate of the chain cannot be read: "),
            ]

            for row in rows {
                let message = try Self.message { configuration in
                    configuration.tls = .init(certificate: row.certificate, key: Redacted(row.key))
                }
                #expect(message.hasPrefix(row.message))
                #expect(!message.contains("\n"))
            }
        }

        @Test("two addresses are served, one of them IPv6, and a peer is shown as it is")
        func addresses() async throws {
            var configuration = HTTPServerConfiguration(
                addresses: [.init(host: "::", port: 0), .init(host: "localhost", port: 0)]
            )
            configuration.loops = 1
            let server = Server(configuration: configuration) { request in
                HTTPResponse(.ok, body: .bytes(Array(request.peer.text.utf8)))
            }
            let ports = try server.start()
            let running = Task { try await server.run() }

            let texts = try await onThread {
                try ["[::1]:\(ports[0])", "127.0.0.1:\(ports[0])", "localhost:\(ports[1])"].map {
                    try run("curl", ["-s", "http://\($0)/"]).output
                }
            }
            await server.drain()
            try await running.value

            #expect(texts[0] == "::1")
            #expect(texts[1] == "127.0.0.1")
            #expect(["127.0.0.1", "::1"].contains(texts[2]))
            #expect(Set(ports).count == 2)
        }

        @Test("a server starts once; it stops when its task is cancelled, and cannot start again")
        func lifeCycle() async throws {
            let server = Server(configuration: .init(addresses: [.init(host: "127.0.0.1", port: 0)]), handler: describe)
            let first = try server.start()
            let second = try server.start()
            let running = Task { try await server.run() }

            running.cancel()
            try await running.value

            #expect(first == second)
            #expect(throws: ServiceError.self) { try server.start() }
            await server.drain()
            #expect(throws: (any Error).self) { try RawClient(port: first[0]) }
        }

        @Test("draining a server that was never started returns at once")
        func neverStarted() async {
            let server = Server(configuration: .init(addresses: []), handler: describe)

            await server.drain()

            #expect(server.counters.accepted == 0)
        }
    }
}
