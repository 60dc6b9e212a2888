import Telemetry
import Compression
import Contract
import HTTPAPI
import HTTPServer
import Kernel
import Synchronization
import Testing

@Suite("Bodies of requests")
struct IncomingBodyTests {
    private static let targets = ["/raw", "/raw-json"]

    @Test("arrive as they were sent, in whatever pieces", arguments: targets, [1, 7, 64, 10_000])
    func arrive(target: String, pieceSize: Int) async throws {
        let lab = Lab.echo()
        let bytes = text(1000)

        let reply = try await lab.send("POST", target, body: RequestBody(bytes: bytes, pieceSize: pieceSize))

        #expect(reply.status == 200)
        #expect(reply.body == bytes)
    }

    @Test("are inflated, in whatever pieces", arguments: targets, [1, 7, 10_000])
    func inflate(target: String, pieceSize: Int) async throws {
        let lab = Lab.echo()
        let bytes = text(4000)
        let body = RequestBody(bytes: Gzip.gzip(bytes[...], level: 6), pieceSize: pieceSize)

        let reply = try await lab.send("POST", target, headers: ["Content-Encoding": "gzip"], body: body)

        #expect(reply.status == 200)
        #expect(reply.body == bytes)
    }

    @Test("are inflated as JSON, too", arguments: ["gzip", "GZIP", "x-gzip"])
    func inflateJSON(encoding: String) async throws {
        let json = Array(#"{"text":"hello"}"#.utf8)

        let reply = try await Lab.echo()
            .send(
                "POST",
                "/echo",
                headers: ["Content-Encoding": encoding],
                body: RequestBody(bytes: Gzip.gzip(json[...], level: 1))
            )

        #expect(reply.text == #"{"text":"hello"}"#)
    }

    @Test("of JSON are known as gzip although a proxy has eaten the header")
    func detectGzip() async throws {
        let json = Array(#"{"text":"hello"}"#.utf8)
        let compressed = Gzip.gzip(json[...], level: 1)

        let whole = try await Lab.echo().send("POST", "/echo", body: RequestBody(bytes: compressed))
        let pieces = try await Lab.echo().send("POST", "/raw-json", body: RequestBody(bytes: compressed))
        let raw = try await Lab.echo().send("POST", "/raw", body: RequestBody(bytes: compressed))

        #expect(whole.body == json)
        #expect(pieces.body == json)
        #expect(raw.body == compressed)
    }

    @Test("that are no gzip although they say so are refused", arguments: ["/echo", "/raw", "/raw-json"])
    func refuseDamage(target: String) async throws {
        let good = Gzip.gzip(text(300)[...], level: 6)
        let bad: [[UInt8]] = [
            Array("plain".utf8), Array(good.dropLast()), Array(good.dropLast(8)), Array(good.prefix(5)),
            good + [0, 1, 2],
            Array(good.prefix(20)) + [0xFF, 0xFF, 0xFF] + Array(good.dropFirst(23)),
        ]
        for body in bad {
            let reply = try await Lab.echo()
                .send("POST", target, headers: ["Content-Encoding": "gzip"], body: RequestBody(bytes: body))

            #expect(reply.status == 400, "\(body.prefix(30))")
        }
    }

    @Test("of one byte more than the limit are refused", arguments: ["/raw", "/raw-json"], [(1000, 200), (1001, 413)])
    func limitReceived(target: String, size: (Int, Int)) async throws {
        let bytes = text(size.0)

        let stated = try await Lab.echo().send("POST", target, body: RequestBody(bytes: bytes, pieceSize: 100))
        let unstated = try await Lab.echo().send("POST", target, body: chunked(bytes))

        #expect(stated.status == size.1)
        #expect(unstated.status == size.1)
    }

    @Test(
        "that inflate to one byte more than the limit are refused",
        arguments: ["/raw", "/raw-json"],
        [(4000, 200), (4001, 413)]
    )
    func limitInflated(target: String, size: (Int, Int)) async throws {
        let body = Gzip.gzip(text(size.0)[...], level: 9)

        let reply = try await Lab.echo()
            .send("POST", target, headers: ["Content-Encoding": "gzip"], body: RequestBody(bytes: body))

        #expect(reply.status == size.1)
    }

    @Test("that inflate to a thousand times their size are refused early", arguments: ["/echo", "/raw", "/raw-json"])
    func refuseBombs(target: String) async throws {
        let lab = Lab.echo(limits: BodyLimits(received: 1 << 20, inflated: 8 << 20))
        let bomb = Gzip.gzip([UInt8](repeating: 0x20, count: 64 << 20)[...], level: 9)

        let reply = try await lab.send(
            "POST",
            target,
            headers: ["Content-Encoding": "gzip"],
            body: RequestBody(bytes: bomb)
        )

        #expect(reply.status == 413)
    }

    @Test("of JSON are refused by type", arguments: ["text/plain", "application/x-www-form-urlencoded", "json"])
    func refuseTypes(type: String) async throws {
        let body = RequestBody(bytes: Array("{}".utf8))

        let reply = try await Lab.echo().send("POST", "/echo", headers: ["Content-Type": type], body: body)

        #expect(reply.status == 415)
        #expect(!body.wasRead)
    }

    @Test(
        "of JSON are taken with any spelling of their type",
        arguments: ["application/json", "Application/JSON; charset=utf-8", "application/vnd.pulumi+json", ""]
    )
    func takeTypes(type: String) async throws {
        let reply = try await Lab.echo()
            .send("POST", "/echo", headers: ["Content-Type": type], body: RequestBody(bytes: Array("{}".utf8)))

        #expect(reply.status == 200)
    }

    @Test("are read once: what was read is gone")
    func readOnce() async throws {
        let lab = Lab { routes in
            routes.query(EchoRaw.self, access: .authenticated) { call -> RawOutput in
                let first = try await call.content.collect()
                let second = try await call.content.collect()
                return RawOutput(contentType: "text/plain", text: "\(first.count) \(second.count)")
            }
        }

        let reply = try await lab.send("POST", "/raw", body: RequestBody(bytes: text(10)))

        #expect(reply.text == "10 0")
    }

    @Test("whose sender leaves end the request, noted in the log and not as an error of ours")
    func noteDepartures() async throws {
        let lab = Lab.echo()
        let body = RequestBody(length: 100) { throw CancellationError() }

        let reply = try await lab.send("POST", "/echo", body: body)

        let line = try #require(lab.log.entries.last { $0.message == "request" })
        #expect(reply.status == 503)
        #expect(line.fields.contains(LogField("clientLeft", .flag(true))))
        #expect(lab.log.entries.allSatisfy { $0.level <= .info })
    }

    /// Letters without much order, so that they do not compress to nothing.
    private func text(_ count: Int) -> [UInt8] {
        var state: UInt32 = 1
        return (0..<count)
            .map { _ in
                state = state &* 1_664_525 &+ 1_013_904_223
                return UInt8(ascii: "a") + UInt8(state >> 24 & 1)
            }
    }

    private func chunked(_ bytes: [UInt8]) -> RequestBody {
        let source = RequestBody(bytes: bytes, pieceSize: 100)
        return RequestBody {
            var iterator = source.makeAsyncIterator()
            return try await iterator.next()
        }
    }
}
