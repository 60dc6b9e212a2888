import Foundation
import HTTPServer
import Kernel
import Testing

extension SocketTests {
    @Suite("Answers")
    struct AnswerTests {
        /// One request, its answer, and what follows.
        private static func exchange(
            _ request: String,
            toHead: Bool = false,
            handler: @escaping Handler
        ) async throws -> (response: RawClient.Response, lives: Bool) {
            try await withServer(handler: handler) { server in
                try await onThread {
                    let client = try server.connect()
                    try client.send(request)
                    let response = try client.response(toHead: toHead)
                    try? client.send(get("/next"))
                    let next = try? client.response(toHead: toHead)
                    return (response, next != nil)
                }
            }
        }

        @Test("an answer says when, who and how long, and the handler's fields follow as they are")
        func fields() async throws {
            let headers: HTTPHeaders = ["Content-Type": "a/b", "X-Empty": "", "set-cookie": "1", "Set-Cookie": "é"]

            let before = Int64(Date().timeIntervalSince1970)
            let (response, lives) = try await Self.exchange(get("/")) { _ in
                HTTPResponse(.created, headers: headers, body: .bytes([97]))
            }

            let lines = response.head.split(separator: "\r\n")
            #expect(lines[0] == "HTTP/1.1 201 Created")
            #expect(response.value("Server") == "Cairn")
            #expect(response.value("Content-Length") == "1")
            #expect(response.value("Connection") == nil)
            #expect(lines.suffix(4) == ["Content-Type: a/b", "X-Empty: ", "set-cookie: 1", "Set-Cookie: é"])
            #expect(lines.count == 8)
            let date = try #require(response.value("Date"))
            let after = Int64(Date().timeIntervalSince1970)
            let near = (before - 1...after + 1).map { Timestamp(seconds: $0).httpDate }
            #expect(near.contains(date))
            #expect(lives)
        }

        @Test("what a handler says about framing is left out")
        func managedFields() async throws {
            let headers: HTTPHeaders = [
                "Content-Length": "99", "Transfer-Encoding": "chunked", "Date": "x", "SERVER": "x", "Keep-Alive": "x",
                "Upgrade": "x", "Trailer": "x", "Connection": "keep-alive", "X": "y",
            ]

            let (response, lives) = try await Self.exchange(get("/")) { _ in
                HTTPResponse(.ok, headers: headers, body: .bytes([97]))
            }

            #expect(response.head.split(separator: "\r\n").count == 5)
            #expect(response.value("Content-Length") == "1")
            #expect(response.value("X") == "y")
            #expect(lives)
        }

        @Test("a handler may end the connection")
        func closes() async throws {
            let (response, lives) = try await Self.exchange(get("/")) { _ in
                HTTPResponse(.ok, headers: ["connection": "Close"])
            }

            #expect(response.value("Connection") == "close")
            #expect(!lives)
        }

        @Test(
            "a field that could break the answer is answered with 500 in its place",
            arguments: [
                ("X", "a\r\nY: b"), ("X", "a\nb"), ("X", "a\0b"), ("X\r\nY", "a"), ("", "a"), ("a b", "c"), ("é", "a"),
            ]
        )
        func splitting(_ name: String, _ value: String) async throws {
            let (response, lives) = try await Self.exchange(get("/")) { _ in
                HTTPResponse(.ok, headers: [name: value], body: .bytes([97]))
            }

            #expect(response.status == 500)
            #expect(response.value("Y") == nil)
            #expect(response.value("Connection") == "close")
            #expect(!lives)
        }

        @Test("a status outside of 200…599 is answered with 500", arguments: [-1, 0, 100, 101, 199, 600, 1000])
        func badStatus(_ code: Int) async throws {
            let (response, _) = try await Self.exchange(get("/")) { _ in HTTPResponse(HTTPStatus(code)) }

            #expect(response.status == 500)
        }

        @Test("a status without a phrase of ours is sent without one")
        func noPhrase() async throws {
            let (response, _) = try await Self.exchange(get("/")) { _ in HTTPResponse(299) }

            #expect(response.head.hasPrefix("HTTP/1.1 299 \r\n"))
        }

        enum Kind: String, CaseIterable {
            case bytes, file, stream, streamOfLength

            var body: ResponseBody {
                switch self {
                case .bytes: .bytes(Array("hello".utf8))
                case .file: .file(temporaryFile(Array("hello".utf8)), offset: 0, length: 5)
                case .stream: .stream { try await $0.write(Array("hello".utf8)) }
                case .streamOfLength: .stream(length: 5) { try await $0.write(Array("hello".utf8)) }
                }
            }
        }

        @Test("an answer to HEAD has the length and no body, whatever it is made of", arguments: Kind.allCases)
        func head(_ kind: Kind) async throws {
            let request = "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"

            let (response, _) = try await Self.exchange(request + request, toHead: true) { _ in
                HTTPResponse(.ok, headers: ["Content-Encoding": "gzip", "X": "y"], body: kind.body)
            }

            #expect(response.status == 200)
            #expect(response.value("Content-Length") == (kind == .stream ? nil : "5"))
            #expect(response.value("Content-Encoding") == nil)
            #expect(response.value("X") == "y")
        }

        @Test("204 and 304 have neither body nor length", arguments: Kind.allCases, [204, 304])
        func bodyless(_ kind: Kind, _ code: Int) async throws {
            let (response, lives) = try await Self.exchange(get("/")) { _ in
                HTTPResponse(HTTPStatus(code), headers: ["Content-Encoding": "gzip"], body: kind.body)
            }

            #expect(response.status == code)
            #expect(response.value("Content-Length") == nil)
            #expect(response.value("Transfer-Encoding") == nil)
            #expect(response.value("Content-Encoding") == nil)
            #expect(lives)
        }

        @Test("each kind of body arrives, and the connection lives on", arguments: Kind.allCases)
        func kinds(_ kind: Kind) async throws {
            let (response, lives) = try await Self.exchange(get("/")) { _ in HTTPResponse(.ok, body: kind.body) }

            #expect(response.text == "hello")
            #expect(response.value("Transfer-Encoding") == (kind == .stream ? "chunked" : nil))
            #expect(lives)
        }

        @Test("a client of HTTP/1.0 gets a stream without chunks, up to the end of the connection")
        func oldStream() async throws {
            let request = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"

            let (response, lives) = try await Self.exchange(request) { _ in HTTPResponse(.ok, body: Kind.stream.body) }

            #expect(response.value("Transfer-Encoding") == nil)
            #expect(response.value("Connection") == "close")
            #expect(response.text == "hello")
            #expect(!lives)
        }

        @Test("a client of HTTP/1.0 that asks for it keeps its connection and is told so")
        func oldKeepAlive() async throws {
            let request = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"

            let (response, lives) = try await Self.exchange(request) { _ in HTTPResponse(.ok) }

            #expect(response.value("Connection") == "keep-alive")
            #expect(lives)
        }

        @Test("head and small body go out in one piece")
        func onePiece() async throws {
            try await withServer(handler: { _ in HTTPResponse(.ok, body: .bytes(Array("hello".utf8))) }) { server in
                let piece = try await onThread {
                    let client = try server.connect()
                    try client.send(get("/"))
                    return try client.receive()
                }

                #expect(String(decoding: try #require(piece), as: UTF8.self).hasSuffix("\r\n\r\nhello"))
            }
        }

        @Test("an inline answer needs no task, and nil goes on to the handler")
        func inline() async throws {
            let inline: @Sendable (HTTPRequestHead) -> HTTPResponse? = { head in
                switch head.target.path {
                case "/bytes": HTTPResponse(.ok, body: .bytes(Array("inline".utf8)))
                case "/stream": HTTPResponse(.ok, body: .stream { try await $0.write(Array("streamed".utf8)) })
                case "/bad": HTTPResponse(.ok, headers: ["X": "\n"])
                default: nil
                }
            }
            try await withServer(inline: inline, handler: describe) { server in
                let texts = try await onThread {
                    let client = try server.connect()
                    try client.send(get("/bytes") + post("/bytes", "hello") + get("/stream") + get("/other"))
                    let texts = try (0..<4).map { _ in try client.response().text }
                    try client.send("HEAD /bytes HTTP/1.1\r\nHost: x\r\n\r\n" + get("/bad") + get("/bytes"))
                    let head = try client.response(toHead: true)
                    return texts + [
                        head.value("Content-Length"), "\(try client.response().status)", "\(client.rest().end)",
                    ]
                }

                #expect(texts == ["inline", "inline", "streamed", "GET /other 0", "6", "500", "closed"])
            }
        }

        @Test("100 requests sent at once are answered in order", arguments: [true, false])
        func pipelining(_ isInline: Bool) async throws {
            let answer: @Sendable (RawTarget) -> HTTPResponse = { HTTPResponse(.ok, body: .bytes(Array($0.text.utf8))) }
            try await withServer(inline: { isInline ? answer($0.target) : nil }, handler: { answer($0.target) }) {
                server in
                let texts = try await onThread {
                    let client = try server.connect()
                    try client.send((0..<100).map { get("/\($0)") }.joined())
                    return try (0..<100).map { _ in try client.response().text }
                }

                #expect(texts == (0..<100).map { "/\($0)" })
            }
        }

        @Test("requests with bodies sent at once are answered in order")
        func pipeliningBodies() async throws {
            try await withServer(handler: describe) { server in
                let texts = try await onThread {
                    let client = try server.connect()
                    var all = ""
                    for index in 0..<40 {
                        let body = String(repeating: "b", count: index * 100)
                        let length = String(index * 100, radix: 16)
                        all += post("/\(index)", body)
                        all +=
                            index == 0
                            ? chunkedPost("/c", "0\r\n\r\n") : chunkedPost("/c", "\(length)\r\n\(body)\r\n0\r\n\r\n")
                    }
                    try client.send(all)
                    return try (0..<80).map { _ in try client.response().text }
                }

                #expect(texts == (0..<40).flatMap { ["POST /\($0) \($0 * 100)", "POST /c \($0 * 100)"] })
            }
        }
    }
}

/// An open file with those bytes and without a name.
func temporaryFile(_ bytes: [UInt8]) -> OpenFile {
    var template = Array("/tmp/cairn-http-XXXXXX\0".utf8CString)
    let descriptor = mkstemp(&template)
    unlink(template)
    var start = 0
    while start < bytes.count {
        let count = bytes[start...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        precondition(count > 0, "the temporary folder takes no files")
        start += count
    }
    return OpenFile(owning: descriptor)
}
