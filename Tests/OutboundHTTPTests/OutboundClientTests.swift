import Foundation
import HTTPServer
import Kernel
import OutboundHTTP
import Testing
import Transfers

@Suite("Fetching a document")
struct OutboundClientTests {
    private static let transfers = Transfers()
    private let loopback = ["127.0.0.1", "::1"].compactMap(AddressRange.init)

    @Test("gives status and body")
    func fetches() async throws {
        try await withDocuments { port, _ in
            let document = try await client().get("http://127.0.0.1:\(port)/hello", limit: 100)

            #expect(document.status == 200 && document.body == Array("hello".utf8))
            #expect(document.fingerprint == nil)
        }
    }

    @Test(
        "does not connect to an address that is not permitted, by whatever name",
        arguments: ["127.0.0.1", "localhost"]
    )
    func refusesAddress(host: String) async throws {
        try await withDocuments { port, requests in
            let error = await error(of: "http://\(host):\(port)/hello", with: client(allowing: []))

            #expect(error?.reason == .addressRefused)
            #expect(requests.count == 0)
        }
    }

    @Test(
        "takes no other URL than one of http or https without a name, a password, a fragment or a zone",
        arguments: [
            "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "dict://127.0.0.1/", "127.0.0.1",
            "http://user@127.0.0.1/", "http://a:b@127.0.0.1/", "http://127.0.0.1/#x", "http://[fe80::1%25lo]/", "",
            "http://", "http://127.0.0.1 /", "http://a\u{0}b/", "http://127.0.0.1:99999/", "javascript:alert(1)",
        ]
    )
    func refusesURL(url: String) async throws {
        let error = await error(of: url, with: client())

        #expect(error?.reason == .badURL)
    }

    @Test("sees through other spellings of an address", arguments: ["0x7f.1", "2130706433", "0177.0.0.1", "127.1"])
    func seesThroughSpellings(host: String) async throws {
        try await withDocuments { port, requests in
            let error = await error(of: "http://\(host):\(port)/hello", with: client(allowing: []))

            #expect(error?.reason == .addressRefused)
            #expect(requests.count == 0)
        }
    }

    @Test("follows no redirect")
    func followsNone() async throws {
        try await withDocuments { port, requests in
            let document = try await client().get("http://127.0.0.1:\(port)/redirect", limit: 100)

            #expect(document.status == 302)
            #expect(requests.count == 1)
        }
    }

    @Test("ends at the limit, whether the length is stated or not", arguments: ["/large", "/stream"])
    func refusesLarge(path: String) async throws {
        try await withDocuments { port, _ in
            let error = await error(of: "http://127.0.0.1:\(port)\(path)", with: client())

            #expect(error?.reason == .tooLarge)
        }
    }

    @Test("trusts a certificate by an authority or by its fingerprint, and no other one")
    func checksCertificate() async throws {
        let certificate = try Certificate("cairn")
        let other = try Certificate("other")
        try await withDocuments(certificate) { port, requests in
            let url = "https://localhost:\(port)/hello"
            let plain = await error(of: url, with: client())
            let known = try await client(authorities: certificate.pem).get(url, limit: 100)
            let fingerprint = try #require(known.fingerprint)
            let pinned = try await client().get(url, limit: 100, trusting: [fingerprint])
            let wrong = await error(of: url, with: client(), trusting: [other.fingerprint, "00"])

            #expect(plain?.reason == .untrustedCertificate)
            #expect(known.body == Array("hello".utf8) && pinned.body == known.body)
            #expect(fingerprint == certificate.fingerprint)
            #expect(wrong?.reason == .untrustedCertificate)
            #expect(requests.count == 3)
        }
    }

    @Test("wants the host's name in the certificate, pinned or not")
    func checksName() async throws {
        let certificate = try Certificate("cairn", names: "DNS:elsewhere.example")
        try await withDocuments(certificate) { port, _ in
            let url = "https://localhost:\(port)/hello"

            let known = await error(of: url, with: client(authorities: certificate.pem))
            let pinned = await error(of: url, with: client(), trusting: [certificate.fingerprint])

            #expect(known?.reason == .untrustedCertificate)
            #expect(pinned?.reason == .untrustedCertificate)
        }
    }

    @Test("says that nobody answers")
    func failsWithoutServer() async throws {
        let port = try await withDocuments { port, _ in port }

        let error = await error(of: "http://127.0.0.1:\(port)/", with: client())

        #expect(error?.reason == .failed)
    }

    // MARK: - Support

    private func client(allowing ranges: [AddressRange]? = nil, authorities: String? = nil) -> OutboundClient {
        OutboundClient(
            rules: OutboundRules(allowing: ranges ?? loopback),
            authorities: authorities,
            transfers: Self.transfers
        )
    }

    private func error(
        of url: String,
        with client: OutboundClient,
        trusting fingerprints: [String] = []
    ) async -> OutboundError? {
        do {
            _ = try await client.get(url, limit: 100, trusting: fingerprints)
            return nil
        } catch {
            return error
        }
    }

    /// Runs `body` beside a server, with its port and how many requests it got.
    private func withDocuments<Result>(
        _ certificate: Certificate? = nil,
        _ body: (Int, Counter) async throws -> Result
    ) async throws -> Result {
        var configuration = HTTPServerConfiguration(addresses: [.init(host: "127.0.0.1", port: 0)])
        configuration.tls = certificate.map { certificate in
            .init(certificate: Array(certificate.pem.utf8), key: Redacted(certificate.key), minimumVersion: .v1_2)
        }
        let requests = Counter()
        let server = Server(configuration: configuration) { request in
            requests.add()
            return Self.answer(request)
        }
        let port = try server.start()[0]
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let result = try await body(port, requests)
            group.cancelAll()
            try await group.waitForAll()
            return result
        }
    }

    private static func answer(_ request: HTTPRequest) -> HTTPResponse {
        switch request.target.path {
        case "/hello": HTTPResponse(HTTPStatus(200), body: .bytes(Array("hello".utf8)))
        case "/redirect": HTTPResponse(HTTPStatus(302), headers: ["Location": "/hello"])
        case "/large": HTTPResponse(HTTPStatus(200), body: .bytes([UInt8](repeating: 65, count: 101)))
        case "/stream":
            HTTPResponse(
                HTTPStatus(200),
                body: .stream { writer in
                    for _ in 0..<100_000 { try await writer.write([UInt8](repeating: 65, count: 1000)) }
                }
            )
        default: HTTPResponse(HTTPStatus(404))
        }
    }
}

/// How many requests came.
private final class Counter: Sendable {
    private let value = Locked(0)

    var count: Int { value.withLock { $0 } }

    func add() {
        value.withLock { $0 += 1 }
    }
}

/// A certificate that signs itself, made for one test.
private struct Certificate {
    let pem: String
    let key: [UInt8]
    let fingerprint: String

    init(_ name: String, names: String = "DNS:localhost,IP:127.0.0.1") throws {
        let folder = NSTemporaryDirectory() + "cairn-outbound-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        _ = try Self.openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=\(name)", "-addext", "subjectAltName=\(names)", "-keyout", "\(folder)/key", "-out", "\(folder)/pem",
        ])
        pem = try String(contentsOfFile: "\(folder)/pem", encoding: .utf8)
        key = Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/key")))
        let text = try Self.openssl(["x509", "-in", "\(folder)/pem", "-noout", "-fingerprint", "-sha256"])
        fingerprint = text.split(separator: "=")[1].filter(\.isHexDigit).lowercased()
    }

    private static func openssl(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}
