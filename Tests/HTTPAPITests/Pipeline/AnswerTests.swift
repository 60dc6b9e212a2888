import Compression
import Contract
import HTTPAPI
import HTTPServer
import Kernel
import Testing

@Suite("Answers")
struct AnswerTests {
    @Test(
        "12: are compressed where the client takes gzip and it pays",
        arguments: [
            ("gzip", 1025, true), ("gzip", 1024, false), ("GZIP", 5000, true), ("x-gzip", 5000, true),
            ("*", 5000, true), ("gzip;q=1.0", 5000, true), ("br, gzip", 5000, true), ("gzip;q=0", 5000, false),
            ("gzip; q=0.000", 5000, false), ("*, gzip;q=0", 5000, false), ("*;q=0", 5000, false), ("br", 5000, false),
            ("identity", 5000, false), ("", 5000, false), ("gzipped", 5000, false), ("gzip;q=0.001", 5000, true),
        ]
    )
    func compress(accepted: String, size: Int, isCompressed: Bool) async throws {
        let text = String(repeating: "x", count: size - #"{"text":""}"#.utf8.count)
        let lab = Lab { routes in
            routes.query(GiveNote.self, access: .authenticated) { _ -> Note in Note(text) }
        }

        let reply = try await lab.send("GET", "/note", headers: ["Accept-Encoding": accepted])

        #expect((reply.headers["Content-Encoding"] == "gzip") == isCompressed)
        let body = isCompressed ? try Gzip.gunzip(reply.body[...], limit: 10_000) : reply.body
        #expect(body.count == size)
        #expect(reply.headers.values(for: "Vary") == (size > 1024 ? ["Accept-Encoding"] : []))
    }

    @Test("that would grow are sent as they are")
    func keepIncompressible() async throws {
        var state: UInt64 = 1
        let bytes = (0..<8192)
            .map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: state >> 56)
            }
        let lab = giving(RawOutput(contentType: "text/plain", .bytes(bytes)))

        let reply = try await lab.send("GET", "/text", headers: ["Accept-Encoding": "gzip"])

        #expect(reply.headers["Content-Encoding"] == nil)
        #expect(reply.body == bytes)
    }

    @Test("that are stored compressed are served so, or inflated", arguments: ["gzip", "identity"], [true, false])
    func serveStored(accepted: String, isStream: Bool) async throws {
        let text = Array(String(repeating: "state ", count: 5000).utf8)
        let stored = Gzip.gzip(text[...], level: 6)
        let body: RawOutput.Body =
            isStream ? .pieces(pieces(of: stored, size: 100), length: stored.count) : .bytes(stored)
        let lab = giving(RawOutput(contentType: "application/json", contentEncoding: "gzip", body))

        let reply = try await lab.send("GET", "/text", headers: ["Accept-Encoding": accepted])

        #expect(reply.headers["Content-Encoding"] == (accepted == "gzip" ? "gzip" : nil))
        #expect(reply.headers["Vary"] == "Accept-Encoding")
        #expect(reply.body == (accepted == "gzip" ? stored : text))
    }

    @Test("8: without a body have none, whatever the client takes")
    func sendNothing() async throws {
        let lab = Lab { routes in
            routes.query(RemoveNote.self, access: .authenticated) { _ -> NoContent in NoContent() }
        }

        let reply = try await lab.send("DELETE", "/note", headers: ["Accept-Encoding": "gzip"])

        #expect(reply.status == 204)
        #expect(reply.body.isEmpty)
        #expect(reply.headers["Content-Type"] == nil)
        #expect(reply.headers["Content-Encoding"] == nil)
    }

    @Test("8: to HEAD have the headers of GET and no compression")
    func answerHead() async throws {
        let lab = giving(RawOutput(contentType: "text/plain", text: String(repeating: "x", count: 9000)))

        let reply = try await lab.send("HEAD", "/text", headers: ["Accept-Encoding": "gzip"])

        #expect(reply.status == 200)
        #expect(reply.headers["Content-Type"] == "text/plain")
        #expect(reply.headers["Content-Encoding"] == nil)
    }

    @Test("carry status, headers and warnings of the handler, on one line each")
    func carryMore() async throws {
        let lab = Lab { routes in
            routes.query(GiveNote.self, access: .authenticated) { _ -> Reply<Note> in
                Reply(
                    Note("x"),
                    status: .accepted,
                    headers: [RenderedOutput.Header("X-Test", "1")],
                    warnings: ["one\r\nSet-Cookie: x", "two"]
                )
            }
        }

        let reply = try await lab.send("GET", "/note")

        #expect(reply.status == 202)
        #expect(reply.headers["X-Test"] == "1")
        #expect(reply.headers.values(for: "X-Pulumi-Warning") == ["one  Set-Cookie: x", "two"])
        #expect(reply.headers["Set-Cookie"] == nil)
    }

    private func giving(_ output: RawOutput) -> Lab {
        Lab { routes in
            routes.query(GiveText.self, access: .authenticated) { _ -> RawOutput in output }
        }
    }

    private func pieces(of bytes: [UInt8], size: Int) -> AsyncThrowingStream<[UInt8], any Error> {
        AsyncThrowingStream { continuation in
            for start in stride(from: 0, to: bytes.count, by: size) {
                continuation.yield(Array(bytes[start..<min(start + size, bytes.count)]))
            }
            continuation.finish()
        }
    }
}
