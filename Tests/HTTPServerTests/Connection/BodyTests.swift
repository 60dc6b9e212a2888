import Foundation
import HTTPServer
import Kernel
import Synchronization
import Testing

extension SocketTests {
    @Suite("Bodies of requests")
    struct BodyTests {
        /// Answers with the number of bytes and their sum.
        private static let sum: Handler = { request in
            var count = 0
            var sum: UInt64 = 0
            do {
                for try await piece in request.body {
                    guard (1...65_536).contains(piece.count) else { return HTTPResponse(.conflict) }
                    count += piece.count
                    for byte in piece { sum &+= UInt64(byte) }
                }
            } catch {
                return HTTPResponse(.badRequest)
            }
            return HTTPResponse(.ok, body: .bytes(Array("\(count) \(sum)".utf8)))
        }

        private static func bytes(_ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 256) }
        }

        private static let sizes = [1, 2, 65_535, 65_536, 65_537, 131_072, 1_048_577, 5_000_000]

        @Test("a body of a stated length arrives whole, on the same connection again and again")
        func stated() async throws {
            try await withServer(handler: Self.sum) { server in
                let answers = try await onThread {
                    let client = try server.connect()
                    return try Self.sizes.map { size in
                        let body = Self.bytes(size)
                        try client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: \(size)\r\n\r\n")
                        try client.send(body)
                        return try client.response().text
                    }
                }

                #expect(answers == Self.expected)
            }
        }

        @Test("a body in chunks of odd sizes arrives whole", arguments: [1, 7, 4096, 65_536, 200_000])
        func chunked(_ chunkSize: Int) async throws {
            try await withServer(handler: Self.sum) { server in
                let size = chunkSize == 1 ? 3000 : 1_048_577
                let answer = try await onThread {
                    let body = Self.bytes(size)
                    var framed: [UInt8] = []
                    for start in stride(from: 0, to: size, by: chunkSize) {
                        let piece = body[start..<min(start + chunkSize, size)]
                        framed += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + [13, 10]
                    }
                    // The server waits for a body that it was told of, but not for ever, and framing takes seconds.
                    let client = try server.connect()
                    try client.send("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
                    try client.send(framed + Array("0\r\n\r\n".utf8))
                    return try client.response().text
                }

                #expect(answer == Self.answer(size))
            }
        }

        @Test("chunks that come byte by byte arrive whole")
        func drip() async throws {
            try await withServer(handler: Self.sum) { server in
                let answer = try await onThread {
                    let client = try server.connect()
                    for byte in Array(chunkedPost("/", "3;a=b\r\nabc\r\n02\r\nde\r\n0\r\nA: b\r\n\r\n").utf8) {
                        try client.send([byte])
                    }
                    return try client.response().text
                }

                #expect(answer == "5 495")
            }
        }

        @Test("the client is told to go on at the first read, and not before")
        func continued() async throws {
            let gate = AsyncStream<Void>.makeStream()
            try await withServer(handler: { request in
                for await _ in gate.stream { break }
                return await describe(request)
            }) { server in
                let (early, statuses, text) = try await onThread {
                    let client = try server.connect()
                    try client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
                    let early = try? client.receive(within: 0.1)
                    gate.continuation.finish()
                    let first = try client.response()
                    try client.send("hello")
                    let second = try client.response()
                    return (early, [first.status, second.status], second.text)
                }

                #expect(early == nil)
                #expect(statuses == [100, 200])
                #expect(text == "POST /a 5")
            }
        }

        @Test("a refusal of a body that was not sent yet ends the connection without telling to go on")
        func notContinued() async throws {
            try await withServer(handler: { _ in
                HTTPResponse(.unauthorized)
            }) { server in
                let (response, rest) = try await onThread {
                    let client = try server.connect()
                    try client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
                    return (try client.response(), client.rest())
                }

                #expect(response.status == 401)
                #expect(response.value("Connection") == "close")
                #expect(rest.end == .closed)
            }
        }

        @Test(
            "an unread body of up to 64 KiB is dropped and the connection lives on; a larger one ends it",
            arguments: [(1, false), (65_536, false), (65_537, true), (3_000_000, true)]
        )
        func unread(_ size: Int, _ closes: Bool) async throws {
            try await withServer(
                { $0.timeLimits.linger = .seconds(60) },
                handler: { request in
                    HTTPResponse(.forbidden, body: .bytes(Array("\(request.body.wasRead)".utf8)))
                }
            ) { server in
                let (first, second, end) = try await onThread { () -> (RawClient.Response, Int?, RawClient.End) in
                    let client = try server.connect()
                    try client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: \(size)\r\n\r\n")
                    let sent = client.sendAsMuchAsPossible([UInt8](repeating: 97, count: size))
                    let first = try client.response()
                    if closes { return (first, nil, client.rest().end) }
                    guard sent == size else { throw RawClient.Problem(description: "only \(sent) bytes were taken") }
                    try client.send(get("/b"))
                    return (first, try client.response().status, .stillOpen)
                }

                #expect(first.status == 403)
                #expect(first.text == "false")
                #expect((first.value("Connection") == "close") == closes)
                #expect(second == (closes ? nil : 403))
                #expect(end == (closes ? .closed : .stillOpen))
            }
        }

        @Test("the rest of a body that was read in part is dropped, or the connection ends", arguments: [false, true])
        func partly(_ isLarge: Bool) async throws {
            try await withServer(
                { $0.timeLimits.linger = .seconds(60) },
                handler: { request in
                    var pieces = request.body.makeAsyncIterator()
                    _ = try? await pieces.next()
                    return HTTPResponse(.ok)
                }
            ) { server in
                let size = isLarge ? 1_000_000 : 30_000
                let (first, second, end) = try await onThread {
                    let client = try server.connect()
                    try client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: \(size)\r\n\r\n!")
                    let first = try client.response()
                    _ = client.sendAsMuchAsPossible(
                        [UInt8](repeating: 97, count: size - 1) + Array(post("/b", "").utf8)
                    )
                    return (first, try? client.response(), client.rest(within: 0.1).end)
                }

                #expect((first.value("Connection") == "close") == isLarge)
                #expect(second?.status == (isLarge ? nil : 200))
                #expect(end == (isLarge ? .closed : .stillOpen))
            }
        }

        @Test("an unread chunked body ends the connection unless its end is here already", arguments: [true, false])
        func unreadChunks(_ complete: Bool) async throws {
            try await withServer(handler: { _ in HTTPResponse(.forbidden) }) { server in
                let (first, second, rest) = try await onThread {
                    let client = try server.connect()
                    try client.send(chunkedPost("/a", "5\r\nhello\r\n" + (complete ? "0\r\n\r\n" : "")))
                    let first = try client.response()
                    if !complete { return (first, 0, client.rest()) }
                    try client.send(get("/b"))
                    return (first, try client.response().status, client.rest(within: 0.3))
                }

                #expect((first.value("Connection") == "close") == !complete)
                #expect(second == (complete ? 403 : 0))
                #expect(rest.bytes.isEmpty)
                #expect(rest.end == (complete ? .stillOpen : .closed))
            }
        }

        @Test("a limit that the stated length exceeds is refused before a byte is read")
        func overLimit() async throws {
            try await withServer(handler: { request in
                do {
                    _ = try await request.body.collect(upTo: 10)
                    return HTTPResponse(.ok)
                } catch let error as ServiceError where error.code == .tooLarge {
                    return HTTPResponse(.contentTooLarge, body: .bytes(Array("\(request.body.wasRead)".utf8)))
                } catch {
                    return HTTPResponse(.badRequest)
                }
            }) { server in
                let answers = try await onThread {
                    let client = try server.connect()
                    try client.send(post("/a", "0123456789"))
                    let fits = try client.response()
                    try client.send(post("/a", "0123456789a"))
                    let stated = try client.response()
                    try client.send(chunkedPost("/a", "b\r\n0123456789a\r\n0\r\n\r\n"))
                    return [fits, stated, try client.response()]
                }

                #expect(answers.map(\.status) == [200, 413, 413])
                #expect(answers.map(\.text) == ["", "false", "true"])
            }
        }

        @Test("a body that is read after the answer, or by two at once, gives an error and not a hang")
        func misuse() async throws {
            let kept = Recorder<RequestBody>()
            try await withServer(handler: { request in
                kept.add(request.body)
                return HTTPResponse(.ok)
            }) { server in
                let client = try await onThread {
                    let client = try server.connect()
                    try client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe")
                    _ = try client.response()
                    return client
                }

                let body = try #require(kept.values.first)
                await #expect(throws: (any Error).self) { try await body.collect(upTo: 100) }
                client.finishSending()
            }
        }

        private static func answer(_ size: Int) -> String {
            "\(size) \(bytes(size).reduce(UInt64(0)) { $0 &+ UInt64($1) })"
        }

        private static let expected = sizes.map(answer)
    }
}
