import APITestKit
import Compression
import HTTPAPI
import HTTPServer
import Testing
import TestKit

@Suite("The form of requests and answers about state")
struct WireFormTests {
    private let path = "/api/stacks/acme/site/dev"

    @Test("3: a refusal has its status as a number, and a message")
    func refusals() async throws {
        try await withStackServer(.sqlite) { server in
            let reply = try await server.send("GET", "/api/stacks/acme/site/none")

            #expect(reply.status == 404)
            #expect(reply.text.contains(#""code":404"#))
            #expect(reply.message?.isEmpty == false)
        }
    }

    @Test("5: a body means the same with and without compression, header or not", arguments: Upload.allCases)
    func compression(upload: Upload) async throws {
        var outcomes: [String] = []
        for way in Way.allCases {
            try await withUploads(upload) { server, update, ciphertext in
                let request = upload.request(update, ciphertext, way.encode)
                let reply = try await server.send(way.apply(to: request), as: upload.caller(update))
                #expect(reply.isSuccess, "\(upload), \(way): \(reply)")
                outcomes.append(try await self.outcome(of: upload, reply, server, update))
            }
        }

        #expect(Set(outcomes).count == 1, "\(outcomes)")
    }

    @Test("6: what is no complete gzip is refused, and the state stays", arguments: Upload.allCases)
    func brokenCompression(upload: Upload) async throws {
        try await withUploads(upload) { server, update, ciphertext in
            let sound = upload.request(update, ciphertext) { $0 }
            let before = try await server.export().text
            let whole = Gzip.gzip((sound.body ?? [])[...])
            var damaged = whole
            damaged[damaged.count / 2] ^= 0xff
            let bodies = [
                ("plain", sound.body ?? []), ("noise", Array("hello".utf8)), ("cut", Array(whole.dropLast(5))),
                ("head", Array(whole.prefix(3))), ("rest", whole + Array("garbage".utf8)), ("damaged", damaged),
            ]

            for (name, body) in bodies {
                var request = sound
                request.body = body
                request.headers.append("Content-Encoding", "gzip")
                let reply = try await server.send(request, as: upload.caller(update))
                #expect(reply.status == 400, "\(upload), \(name): \(reply)")
            }
            #expect(try await server.export().text == before)
        }
    }

    @Test(
        "6: what inflates beyond the limit is refused with 413, many at a time",
        arguments: [Upload.events, .journal, .importState]
    )
    func bombs(upload: Upload) async throws {
        try await withUploads(upload) { server, update, ciphertext in
            var request = upload.request(update, ciphertext) { $0 }
            let limit = try #require(server.route(of: request)).limits.inflated
            // Members one after the other count as one text, so that the bomb need not be in memory to be made.
            let member = Gzip.gzip([UInt8](repeating: 0x20, count: 16 << 20)[...])
            request.body = (0...(limit / (16 << 20))).flatMap { _ in member }
            request.headers.append("Content-Encoding", "gzip")
            let bomb = request
            let before = try await server.export().text

            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<(upload == .events ? 8 : 1) {
                    group.addTask { try await server.send(bomb, as: upload.caller(update)).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            #expect(statuses.allSatisfy { $0 == 413 }, "\(statuses)")
            #expect(try await server.export().text == before)
        }
    }

    @Test("8: an answer without a body has neither bytes nor an encoding")
    func emptyAnswers() async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")
            let update = try await server.update()
            let gzip: HTTPHeadersOf = [("Accept-Encoding", "gzip")]

            let replies = [
                try await server.send(gzip.request("HEAD", "/api/stacks/acme/site")),
                try await server.send(gzip.request("HEAD", "/api/stacks/acme/none")),
                try await server.send(gzip.request("PATCH", "\(path)/tags", "{}")),
                try await server.send(gzip.request("POST", "\(update.path)/events/batch", "{}"), as: update.holder),
                try await server.send(
                    gzip.request("POST", "\(update.path)/complete", #"{"status":"failed"}"#),
                    as: update.holder
                ),
            ]

            #expect(replies.map(\.status) == [200, 404, 204, 204, 204])
            for reply in replies {
                #expect(reply.body.isEmpty)
                #expect(reply.headers["Content-Encoding"] == nil)
            }
        }
    }

    @Test("10: members that nobody knows are passed over or kept", arguments: Upload.allCases)
    func unknownMembers(upload: Upload) async throws {
        try await withUploads(upload) { server, update, ciphertext in
            let request = upload.request(update, ciphertext) { body in
                Array(#"{"fromTheFuture":{"deep":[null,{"x":1e400}]},"#.utf8) + body.dropFirst()
            }

            let reply = try await server.send(request, as: upload.caller(update))

            #expect(reply.isSuccess, "\(upload): \(reply)")
        }
    }

    @Test(
        "11, seen 28: every version of the interface is served alike",
        arguments: [
            nil, "application/vnd.pulumi+1", "application/vnd.pulumi+8", "application/vnd.pulumi+9",
            "application/vnd.pulumi+99", "*/*", "text/html, application/json;q=0.9",
        ]
    )
    func accepts(accept: String?) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")
            let headers: HTTPHeadersOf = accept.map { [("Accept", $0)] } ?? []

            for target in [path, "\(path)/export", "/api/user/stacks", "\(path)/updates"] {
                #expect(try await server.send(headers.request("GET", target)).status == 200, "\(target)")
            }
        }
    }

    @Test("12: a large answer is gzip for those who take it, and as it is for others", arguments: Engine.available)
    func largeAnswers(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.importState((0..<500).map { Journal.resource("r\($0)", 1) }, into: "acme/site/dev")
            let gzip: HTTPHeadersOf = [("Accept-Encoding", "gzip")]

            let plain = try await server.export()
            let compressed = try await server.send(gzip.request("GET", "\(path)/export"))

            #expect(plain.headers["Content-Encoding"] == nil)
            #expect(compressed.headers.values(for: "Content-Encoding") == ["gzip"])
            #expect(try Gzip.gunzip(compressed.body[...], limit: 1 << 20) == plain.body)
        }
    }

    @Test("seen 28: a person's own account is an organization for everything", arguments: Engine.available)
    func ownAccount(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("dev/lab/up")
            let update = try await server.update(of: "dev/lab/up")
            let base = "/api/stacks/dev/lab/up"

            let encrypted = try await server.send("POST", "\(base)/encrypt", json: #"{"plaintext":"AA=="}"#)

            #expect(try await update.save([Journal.resource("A", 1)]).status == 204)
            #expect(try await update.complete().status == 204)
            #expect(try await server.resources("dev/lab/up") == ["A@1"])
            #expect(try await server.send("POST", "\(base)/decrypt", json: encrypted.text).status == 200)
            #expect(try await server.send("GET", base, as: .mia).status == 404)
        }
    }

    /// What shows whether the upload did the same.
    private func outcome(
        of upload: Upload,
        _ reply: TestReply,
        _ server: TestServer,
        _ update: TestUpdate
    ) async throws -> String {
        switch upload {
        case .batchEncrypt: return "\(reply.json["ciphertexts"].array.count)"
        case .batchDecrypt: return reply.json["plaintexts"].strings.map { $0.values.sorted().joined() } ?? "nothing"
        case .events: return try await update.send("GET", "/events", as: .dev).json["events"].description
        default: return try await server.export().text
        }
    }

    /// How a body is sent.
    enum Way: CaseIterable, Sendable {
        case plain, gzip, gzipWithoutHeader, twoMembers

        func encode(_ body: [UInt8]) -> [UInt8] {
            switch self {
            case .plain: body
            case .gzip, .gzipWithoutHeader: Gzip.gzip(body[...])
            case .twoMembers: Gzip.gzip(body.prefix(10)) + Gzip.gzip(body.dropFirst(10))
            }
        }

        func apply(to request: TestRequest) -> TestRequest {
            var request = request
            if self == .gzip || self == .twoMembers { request.headers.append("Content-Encoding", "gzip") }
            return request
        }
    }

    /// The requests whose bodies clients compress.
    enum Upload: CaseIterable, Sendable {
        case importState, plain, verbatim, delta, journal, events, batchEncrypt, batchDecrypt

        func caller(_ update: TestUpdate) -> TestCaller {
            switch self {
            case .importState, .batchEncrypt, .batchDecrypt: .dev
            default: update.holder
            }
        }

        func request(_ update: TestUpdate, _ ciphertext: String, _ encode: ([UInt8]) -> [UInt8]) -> TestRequest {
            let stack = "/api/stacks/acme/site/dev"
            let (method, target, json) =
                switch self {
                case .importState: ("POST", "\(stack)/import", TestServer.state([Journal.resource("A", 1)]))
                case .plain: ("PATCH", "\(update.path)/checkpoint", Save.plain([Journal.resource("A", 1)]))
                case .verbatim: ("PATCH", "\(update.path)/checkpointverbatim", Save.verbatim(WireFormTests.text, 2))
                case .delta:
                    ("PATCH", "\(update.path)/checkpointdelta", Save.delta("[]", 2, hash: WireFormTests.hash))
                case .journal:
                    (
                        "PATCH", "\(update.path)/journalentries",
                        Save.journal([Journal.provider] + Journal.create(2, 1, "A"))
                    )
                case .events: ("POST", "\(update.path)/events/batch", Save.events([Save.event(0), Save.event(1)]))
                case .batchEncrypt: ("POST", "\(stack)/batch-encrypt", #"{"plaintexts":["AA==","AQ=="]}"#)
                case .batchDecrypt: ("POST", "\(stack)/batch-decrypt", #"{"ciphertexts":["\#(ciphertext)"]}"#)
                }
            var request = TestRequest(method, target, json: json)
            request.body = encode(Array(json.utf8))
            return request
        }
    }

    static let text = """
        {"version":3,"deployment":{"manifest":{"time":"2026-01-01T00:00:00Z","magic":"","version":""},\
        "metadata":{},"resources":[{"urn":"a","custom":false,"type":"t"}]}}
        """
    static let hash = "a300f67df8820bcdb3d6ff83ad0d4967ffac05e1d5b2546ebc01ebf412d69748"

    /// A stack with what the upload needs: an update that runs, a first text, a ciphertext.
    private func withUploads(
        _ upload: Upload,
        _ body: (TestServer, TestUpdate, String) async throws -> Void
    ) async throws {
        try await withStackServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")
            let encrypted = try await server.send("POST", "\(path)/encrypt", json: #"{"plaintext":"AA=="}"#)
            let update = try await server.update(journal: upload == .journal ? 2 : nil)
            switch upload {
            case .delta, .verbatim: _ = try await update.save(verbatim: Self.text, 1)
            case .importState: _ = try await update.complete()
            default: break
            }
            try await body(server, update, encrypted.json["ciphertext"].string ?? "")
        }
    }
}

/// Headers of a request, one after the other.
private struct HTTPHeadersOf: ExpressibleByArrayLiteral {
    let fields: [(String, String)]

    init(arrayLiteral elements: (String, String)...) {
        fields = elements
    }

    func request(_ method: String, _ target: String, _ json: String? = nil) -> TestRequest {
        var request = json.map { TestRequest(method, target, json: $0) } ?? TestRequest(method, target)
        for (name, value) in fields { request.headers.append(name, value) }
        return request
    }
}
