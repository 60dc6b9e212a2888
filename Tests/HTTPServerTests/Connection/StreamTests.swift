import Foundation
import HTTPServer
import Kernel
import Testing

extension SocketTests {
    @Suite("Streams and files")
    struct StreamTests {
        private static func pattern(_ count: Int) -> [UInt8] {
            let block = (0..<65_521).map { UInt8(truncatingIfNeeded: $0 / 251) }
            var bytes: [UInt8] = []
            while bytes.count < count { bytes += block.prefix(count - bytes.count) }
            return bytes
        }

        /// The first answer, and whether the connection answers once more.
        private static func exchange(_ response: HTTPResponse) async throws -> (RawClient.Response, lives: Bool) {
            try await withServer(handler: { _ in response }) { server in
                try await onThread {
                    let client = try server.connect()
                    try client.send(get("/"))
                    let first = try client.response()
                    try? client.send(get("/next"))
                    return (first, (try? client.response()) != nil)
                }
            }
        }

        /// What is left of a connection whose answer breaks off.
        private static func broken(_ response: HTTPResponse) async throws -> (text: String, end: RawClient.End) {
            try await withServer(handler: { _ in response }) { server in
                try await onThread {
                    let client = try server.connect()
                    try client.send(get("/"))
                    let rest = client.rest()
                    return (String(decoding: rest.bytes, as: UTF8.self), rest.end)
                }
            }
        }

        @Test("a body of 10 MB in memory arrives whole")
        func largeBytes() async throws {
            let bytes = Self.pattern(10_000_000)

            let (response, lives) = try await Self.exchange(HTTPResponse(.ok, body: .bytes(bytes)))

            #expect(response.body == bytes)
            #expect(response.value("Content-Length") == "10000000")
            #expect(lives)
        }

        @Test("a stream of many pieces arrives whole and in order", arguments: [true, false])
        func manyPieces(_ isStated: Bool) async throws {
            let pieces = (0..<50).map { [UInt8](repeating: UInt8($0), count: $0 * 1000 + 1) }
            let expected = pieces.flatMap { $0 }
            let body = ResponseBody.stream(length: isStated ? Int64(expected.count) : nil) { writer in
                for piece in pieces { try await writer.write(piece) }
            }

            let (response, lives) = try await Self.exchange(HTTPResponse(.ok, body: body))

            #expect(response.body == expected)
            #expect(lives)
        }

        @Test("an empty stream is an empty body", arguments: [nil, 0] as [Int64?])
        func empty(_ length: Int64?) async throws {
            let (response, lives) = try await Self.exchange(HTTPResponse(.ok, body: .stream(length: length) { _ in }))

            #expect(response.body.isEmpty)
            #expect(lives)
        }

        @Test(
            "a stream that breaks off ends the connection, so that the client notices",
            arguments: [nil, 100] as [Int64?]
        )
        func thrown(_ length: Int64?) async throws {
            let body = ResponseBody.stream(length: length) { writer in
                try await writer.write(Array("partial".utf8))
                throw ServiceError.missing("x")
            }

            let (text, end) = try await Self.broken(HTTPResponse(.ok, body: body))

            #expect(text.contains("partial"))
            #expect(!text.hasSuffix("0\r\n\r\n"))
            #expect(end != .stillOpen)
        }

        @Test("a stream that is shorter than stated ends the connection")
        func tooShort() async throws {
            let body = ResponseBody.stream(length: 10) { try await $0.write(Array("short".utf8)) }

            let (text, end) = try await Self.broken(HTTPResponse(.ok, body: body))

            #expect(text.hasSuffix("short"))
            #expect(end != .stillOpen)
        }

        @Test("a stream that exceeds what was stated throws at the writer and sends none of the excess")
        func tooLong() async throws {
            let errors = Recorder<String>()
            let body = ResponseBody.stream(length: 3) { writer in
                do {
                    try await writer.write(Array("four".utf8))
                } catch {
                    errors.add("\((error as? ServiceError)?.code.description ?? "?")")
                    throw error
                }
            }

            let (text, end) = try await Self.broken(HTTPResponse(.ok, body: body))

            #expect(!text.contains("four"))
            #expect(errors.values == ["internal"])
            #expect(end != .stillOpen)
        }

        @Test("a negative length is answered with 500")
        func negative() async throws {
            let (response, _) = try await Self.exchange(HTTPResponse(.ok, body: .stream(length: -2) { _ in }))

            #expect(response.status == 500)
        }

        @Test("a body can be read while the answer is written", arguments: [true, false])
        func echo(_ isChunked: Bool) async throws {
            let bytes = Self.pattern(1_000_000)
            let handler: Handler = { request in
                HTTPResponse(
                    .ok,
                    body: .stream { writer in
                        for try await piece in request.body { try await writer.write(piece) }
                    }
                )
            }
            try await withServer(handler: handler) { server in
                let (echoed, rest) = try await onThread {
                    let client = try server.connect()
                    let size = String(bytes.count, radix: 16)
                    let body = isChunked ? Array("\(size)\r\n".utf8) + bytes + Array("\r\n0\r\n\r\n".utf8) : bytes
                    let length = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(bytes.count)"
                    NamedThread.start(name: "sender") {
                        try? client.send("POST / HTTP/1.1\r\nHost: x\r\n\(length)\r\n\r\n")
                        try? client.send(body)
                    }
                    return (try client.response(), client.rest())
                }

                // When the head went out, most of the body was still to come; what it says then holds.
                #expect(echoed.value("Connection") == "close")
                #expect(echoed.body == bytes)
                #expect(rest.end == .closed)
            }
        }

        @Test("a small body that is read while the answer is written lets the connection live on")
        func smallEcho() async throws {
            let handler: Handler = { request in
                HTTPResponse(
                    .ok,
                    body: .stream { writer in
                        for try await piece in request.body { try await writer.write(piece) }
                    }
                )
            }
            try await withServer(handler: handler) { server in
                let texts = try await onThread {
                    let client = try server.connect()
                    return try ["hello", "world"].map { text in
                        try client.send(post("/", text))
                        return try client.response().text
                    }
                }

                #expect(texts == ["hello", "world"])
            }
        }

        @Test("the head of a stream is sent before its first piece is made")
        func earlyHead() async throws {
            let gate = AsyncStream<Void>.makeStream()
            let body = ResponseBody.stream { writer in
                for await _ in gate.stream { break }
                try await writer.write([97])
            }
            try await withServer(handler: { _ in HTTPResponse(.ok, body: body) }) { server in
                let (head, rest) = try await onThread {
                    let client = try server.connect()
                    try client.send(get("/"))
                    let head = try client.receive()
                    gate.continuation.finish()
                    return (head ?? [], try client.receive() ?? [])
                }

                #expect(String(decoding: head, as: UTF8.self).hasSuffix("Transfer-Encoding: chunked\r\n\r\n"))
                #expect(String(decoding: rest, as: UTF8.self).hasPrefix("1\r\na\r\n"))
            }
        }

        @Test(
            "any part of a file arrives",
            arguments: [(0, 0), (0, 1), (0, 3_000_000), (1, 2_999_999), (1_234_567, 100_000), (2_999_999, 1)]
        )
        func fileParts(_ offset: Int, _ length: Int) async throws {
            let bytes = Self.pattern(3_000_000)
            let file = temporaryFile(bytes)

            let (response, lives) = try await Self.exchange(
                HTTPResponse(.ok, body: .file(file, offset: Int64(offset), length: Int64(length)))
            )

            #expect(response.body == Array(bytes[offset..<offset + length]))
            #expect(response.value("Content-Length") == "\(length)")
            #expect(lives)
        }

        @Test("a file that is shorter than stated ends the connection after what there is")
        func shortFile() async throws {
            let file = temporaryFile(Array("hello".utf8))

            let (text, end) = try await Self.broken(HTTPResponse(.ok, body: .file(file, offset: 0, length: 10)))

            #expect(text.hasSuffix("hello"))
            #expect(end != .stillOpen)
        }

        @Test("a part that cannot be is answered with 500", arguments: [(-1, 5), (0, -5)])
        func badParts(_ offset: Int64, _ length: Int64) async throws {
            let file = temporaryFile(Array("hello".utf8))

            let (response, _) = try await Self.exchange(
                HTTPResponse(.ok, body: .file(file, offset: offset, length: length))
            )

            #expect(response.status == 500)
        }

        @Test("a file is closed when its answer is done, or was not needed")
        func closed() async throws {
            let before = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
            try await withServer(handler: { _ in
                HTTPResponse(.ok, body: .file(temporaryFile([97, 98, 99]), offset: 0, length: 3))
            }) { server in
                try await onThread {
                    let client = try server.connect()
                    for _ in 0..<50 {
                        try client.send(get("/"))
                        _ = try client.response()
                        try client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
                        _ = try client.response(toHead: true)
                    }
                }

                let isBack = await eventually {
                    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? .max < before + 25
                }
                #expect(isBack)
            }
        }
    }
}
