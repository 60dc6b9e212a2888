import Compression
import Contract
import HTTPAPI
import HTTPServer
import Kernel
import Synchronization
import Testing

/// What every route does with bodies it cannot take.
///
/// The database under the routes is away, so an answer other than 503 shows that a request was refused before it could
/// change anything.
@Suite("Bodies of every route")
struct RouteBodyTests {
    private let probe = RouteProbe()

    @Test("One that says it is too long is refused before it is read")
    func refusesStatedLength() async throws {
        for route in EveryRoute.taking {
            let limit = min(route.limits.received, route.limits.inflated)
            let outcome = try await send(route, RequestBody(length: limit + 1) { [0x20] })

            #expect(outcome.status == 413, "\(route.name)")
            #expect(outcome.code == "413", "\(route.name)")
            #expect(!outcome.bodyWasRead, "\(route.name)")
        }
    }

    @Test("One that does not say how long it is, is refused where it is too long")
    func refusesUnstatedLength() async throws {
        for route in oneOfEachLimit {
            let sent = Atomic<Int>(0)
            let piece = [UInt8](repeating: 0x20, count: 65_536)
            let body = RequestBody {
                sent.add(piece.count, ordering: .relaxed)
                return piece
            }

            let outcome = try await send(route, body)

            #expect(outcome.status == 413, "\(route.name)")
            #expect(sent.load(ordering: .relaxed) <= route.limits.received + piece.count, "\(route.name)")
        }
    }

    @Test("6: A small one that inflates to a large one is refused")
    func refusesBombs() async throws {
        let largest = json.map(\.limits.inflated).max() ?? 0
        let bomb = Gzip.gzip([UInt8](repeating: 0x20, count: largest + 1)[...], level: 6)

        for route in oneOfEachLimit {
            let outcome = try await send(route, RequestBody(bytes: bomb), headers: ["Content-Encoding": "gzip"])

            #expect(outcome.status == 413, "\(route.name)")
        }
    }

    @Test(
        "One that is no JSON is refused by name",
        arguments: ["{", "[1", "nul", "{\"a\":1}x", "{\"a\":1,\"a\":2}", "\u{FEFF}{}"]
    )
    func refusesMalformed(text: String) async throws {
        for route in json {
            let outcome = try await send(route, RequestBody(bytes: Array(text.utf8)))

            #expect(outcome.status == 400, "\(route.name)")
            #expect(outcome.message.contains("body: "), "\(route.name): \(outcome.message)")
        }
    }

    @Test("One of the wrong type is refused by name", arguments: ["[]", "5", "\"text\"", "true", "null"])
    func refusesOtherTypes(text: String) async throws {
        for route in json {
            let outcome = try await send(route, RequestBody(bytes: Array(text.utf8)))

            #expect(outcome.status == 400, "\(route.name)")
            #expect(outcome.message.contains("body: "), "\(route.name): \(outcome.message)")
        }
    }

    @Test("10: A field that the contract does not have is passed over where command line clients call")
    func ignoresUnknownFields() async throws {
        var count = 0
        for route in json where route.descriptor.ignoresUnknownFields {
            guard let sample = try SampleBody(for: route.descriptor) else { continue }
            let plain = try await send(route, RequestBody(bytes: Array(sample.text().utf8)))
            let isDecoded = !plain.message.contains(": takes ") && !plain.message.contains("is required")
            #expect(isDecoded, "\(route.name): \(plain.message)")
            for object in sample.objects {
                let text = sample.text(adding: Self.unknown, to: object)
                let extended = try await send(route, RequestBody(bytes: Array(text.utf8)))
                count += 1

                #expect(extended.status == plain.status, "\(route.name): \(text)")
                #expect(extended.message == plain.message, "\(route.name): \(text)")
            }
        }
        #expect(count > 30)
    }

    @Test("A field that the contract does not have is refused by name everywhere else")
    func refusesUnknownFields() async throws {
        var count = 0
        for route in json where !route.descriptor.ignoresUnknownFields {
            guard let sample = try SampleBody(for: route.descriptor) else { continue }
            let plain = try await send(route, RequestBody(bytes: Array(sample.text().utf8)))
            #expect(!plain.message.contains("is not a field"), "\(route.name): \(plain.message)")
            for object in sample.objects {
                let text = sample.text(adding: Self.unknown, to: object)
                let extended = try await send(route, RequestBody(bytes: Array(text.utf8)))
                count += 1

                let path = object.isEmpty ? "fromTheFuture" : "\(object).fromTheFuture"
                let message = "Bad Request: \(path): is not a field of this request"
                #expect(extended.status == 400 && extended.message == message, "\(route.name): \(text)")
            }
        }
        #expect(count > 10)
    }

    private static let unknown = #""fromTheFuture":{"deep":[null,{"x":1e400}]}"#

    @Test("7: Another encoding than gzip is refused", arguments: ["br", "zstd", "deflate", "gzip, gzip"])
    func refusesEncodings(encoding: String) async throws {
        for route in EveryRoute.taking {
            let outcome = try await send(
                route,
                RequestBody(bytes: Array("{}".utf8)),
                headers: ["Content-Encoding": encoding]
            )

            #expect(outcome.status == 415, "\(route.name)")
            #expect(!outcome.bodyWasRead, "\(route.name)")
        }
    }

    private var json: [Route] { EveryRoute.taking.filter { $0.intake == .json } }

    /// Megabytes for each of a hundred routes would take minutes; what counts them is the same for all.
    private var oneOfEachLimit: [Route] {
        Array(Dictionary(json.map { ($0.limits, $0) }) { first, _ in first }.values)
    }

    private func send(
        _ route: Route,
        _ body: RequestBody,
        headers: HTTPHeaders = [:]
    ) async throws -> RouteProbe.Outcome {
        try await probe.send(
            route,
            authorization: RouteProbe.credential(for: route),
            headers: headers,
            body: body
        )
    }
}
