import APITestKit
import Compression
import HTTPServer
import NoiseTestKit
import TestKit
import Testing

/// A state of many resources whose values hardly compress, so that it lies in objects and in several chunks.
///
/// The same calls make the same state.
struct LargeState {
    private var values: [[UInt64]] = []
    private var numbers: Noise

    init(_ count: Int, seed: UInt64 = 1) {
        numbers = Noise(seed: seed)
        values = (0..<count).map { _ in newValue() }
    }

    /// Gives some resources other values.
    mutating func change(_ indices: Int...) {
        for index in indices { values[index] = newValue() }
    }

    private mutating func newValue() -> [UInt64] {
        (0..<50).map { _ in numbers.next() }
    }

    var resources: [String] {
        [TestServer.root("site", "dev")]
            + values.enumerated().map { index, value in
                """
                {"urn":"urn:pulumi:dev::site::a:b:C::r\(index)","custom":false,"type":"a:b:C",\
                "outputs":{"v":"\(value.map { String($0, radix: 16) }.joined())"}}
                """
            }
    }

    var text: String { TestServer.state(resources) }

    /// The body of a verbatim save.
    func verbatim(_ sequence: Int) -> String {
        #"{"version":3,"untypedDeployment":\#(text),"sequenceNumber":\#(sequence)}"#
    }

    /// The body of a plain save.
    var plain: String { #"{"isInvalid":false,"# + text.dropFirst() }
}

extension TestServer {
    /// A save of a running update, gzip or plain.
    func save(
        _ json: String,
        as form: String,
        of stack: String,
        _ update: (id: String, holder: TestCaller),
        gzip: Bool = false
    ) async throws -> TestReply {
        let body = gzip ? Gzip.gzip(Array(json.utf8)[...], level: 1) : Array(json.utf8)
        return try await send(
            "PATCH",
            "/api/stacks/\(stack)/update/\(update.id)/\(form)",
            body: body,
            headers: gzip ? ["Content-Encoding": "gzip", "Content-Type": "application/json"] : [:],
            as: update.holder
        )
    }

    func complete(_ stack: String, _ update: (id: String, holder: TestCaller)) async throws -> TestReply {
        try await send(
            "POST",
            "/api/stacks/\(stack)/update/\(update.id)/complete",
            json: #"{"status":"succeeded"}"#,
            as: update.holder
        )
    }

    /// The text of an export.
    func export(_ stack: String, version: Int? = nil, gzip: Bool = false) async throws -> String {
        let path = "/api/stacks/\(stack)/export" + (version.map { "/\($0)" } ?? "")
        let reply = try await send("GET", path, headers: gzip ? ["Accept-Encoding": "gzip"] : [:])
        guard reply.headers["Content-Encoding"] == "gzip" else { return String(decoding: reply.body, as: UTF8.self) }
        return String(decoding: try Gzip.gunzip(reply.body[...], limit: 1 << 30), as: UTF8.self)
    }
}
