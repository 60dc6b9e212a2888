import Compression
import Contract
import HTTPAPI
import HTTPServer
import Kernel
import Synchronization
import Testing

@Suite("Bodies of JSON")
struct ControlBodyTests {
    @Test(
        "are refused when they are not one sound text",
        arguments: [
            "{", "{}x", "{} {}", "{'a':1}", "{\"a\":01}", "{\"a\":1,}", "[1 2]", "\u{FEFF}{}", "nul", " ",
            "{\"a\":NaN}",
            "{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":1}", "{\"b\":{\"a\":1,\"a\":1}}", "\"\u{1}\"",
        ]
    )
    func refuse(text: String) async throws {
        let reply = try await Lab.echo().send("POST", "/echo", body: RequestBody(bytes: Array(text.utf8)))

        #expect(reply.status == 400)
        #expect(reply.message.hasPrefix("Bad Request: body: "), "\(reply.message)")
    }

    @Test(
        "are refused when they are not UTF-8",
        arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE4, 0xBD]]
    )
    func refuseBytes(bytes: [UInt8]) async throws {
        let body = Array(#"{"text":""#.utf8) + bytes + Array(#""}"#.utf8)

        let reply = try await Lab.echo().send("POST", "/echo", body: RequestBody(bytes: body))

        #expect(reply.status == 400)
    }

    @Test("may be 512 levels deep, and no deeper", arguments: [(512, 200), (513, 400), (100_000, 400)])
    func limitDepth(depth: Int, status: Int) async throws {
        let lab = Lab.echo(limits: BodyLimits(1 << 20))
        let nested = String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1)

        let reply = try await lab.send("POST", "/echo", body: RequestBody(bytes: Array(#"{"x":\#(nested)}"#.utf8)))

        #expect(reply.status == status)
    }

    @Test("are refused for a field that nobody knows, unless the operation passes over it")
    func refuseUnknownFields() async throws {
        let lab = Lab { routes in
            routes.query(EchoJSON.self, access: .authenticated) { call -> Note in call.body }
            routes.query(EchoStrictly.self, access: .authenticated) { call -> Note in call.body }
        }
        let body = Array(#"{"text":"a","texts":[]}"#.utf8)

        let lenient = try await lab.send("POST", "/echo", body: RequestBody(bytes: body))
        let strict = try await lab.send("POST", "/strict", body: RequestBody(bytes: body))
        let plain = try await lab.send("POST", "/strict", body: RequestBody(bytes: Array(#"{"text":"a"}"#.utf8)))

        #expect(lenient.status == 200 && lenient.text == #"{"text":"a"}"#)
        #expect(strict.status == 400 && strict.message == "Bad Request: texts: is not a field of this request")
        #expect(plain.status == 200)
    }

    @Test("are missed where one is needed, and made up where none is")
    func takeNone() async throws {
        let lenient = Lab { routes in
            let options = RouteOptions(takesEmptyBody: true)
            routes.query(EchoJSON.self, access: .authenticated, options: options) { call -> Note in call.body }
        }

        let needed = try await Lab.echo().send("POST", "/echo")
        let optional = try await lenient.send("POST", "/echo")

        #expect(needed.status == 400)
        #expect(needed.message == "Bad Request: body: is required")
        #expect(optional.text == #"{"text":""}"#)
    }

    @Test("name the field that is wrong, and what it takes")
    func nameFields() async throws {
        let reply = try await Lab.echo().send("POST", "/echo", body: RequestBody(bytes: Array(#"{"text":5}"#.utf8)))

        #expect(reply.message == "Bad Request: text: takes a string, found a number")
        #expect(reply.text.contains(#""errors":[{"resource":"","attribute":"text","errorType":"invalid""#))
    }

    @Test(
        "of any size are read alike where they are parsed, in place or on threads of their own",
        arguments: [10, 300_000]
    )
    func parseElsewhere(count: Int) async throws {
        let pool = BlockingPool(name: "test", threads: 1, queue: 4)
        defer { pool.stop() }
        let lab = Lab(compute: pool) { routes in
            routes.query(EchoJSON.self, access: .authenticated) { call -> Note in call.body }
        }
        let json = Array(#"{"text":"\#(String(repeating: "x", count: count))"}"#.utf8)

        let plain = try await lab.send("POST", "/echo", body: RequestBody(bytes: json))
        let inflated = try await lab.send(
            "POST",
            "/echo",
            headers: ["Content-Encoding": "gzip", "Accept-Encoding": "gzip"],
            body: RequestBody(bytes: Gzip.gzip(json[...], level: 6))
        )

        #expect(plain.body == json)
        #expect(count > 10 ? try Gzip.gunzip(inflated.body[...], limit: 1 << 20) == json : inflated.body == json)
    }

    @Test("that never end are left at the limit, however small they arrive", arguments: ["/raw", "/raw-json", "/echo"])
    func leaveEndlessBombs(target: String) async throws {
        let lab = Lab.echo(limits: BodyLimits(received: 1 << 20, inflated: 4 << 20))
        let member = Gzip.gzip([UInt8](repeating: 0x20, count: 1 << 20)[...], level: 9)
        let sent = Atomic<Int>(0)
        let body = RequestBody {
            sent.wrappingAdd(member.count, ordering: .relaxed)
            return member
        }

        let reply = try await lab.send("POST", target, headers: ["Content-Encoding": "gzip"], body: body)

        #expect(reply.status == 413)
        // A stream is inflated as it arrives; a control body is collected first, and that is bounded as received.
        let bound = target == "/echo" ? (1 << 20) + member.count : 6 * member.count
        #expect(sent.load(ordering: .relaxed) <= bound)
    }
}
