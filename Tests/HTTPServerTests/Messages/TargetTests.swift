import HTTPServer
import Testing

@Suite("Targets, methods, peers")
struct TargetTests {
    @Test(
        "path and query are cut at the first question mark and not decoded",
        arguments: [
            ("/", "/", nil), ("/a/b", "/a/b", nil), ("/a?", "/a", ""), ("/a?b", "/a", "b"), ("/a?b?c", "/a", "b?c"),
            ("/%3F?%3F", "/%3F", "%3F"), ("*", "*", nil), ("?a", "", "a"), ("", "", nil), ("//a//?", "//a//", ""),
        ] as [(String, String, String?)]
    )
    func target(_ text: String, _ path: String, _ query: String?) {
        let target = RawTarget(text)

        #expect(String(target.path) == path)
        #expect(target.query.map(String.init) == query)
        #expect(target.text == text)
    }

    @Test("methods differ by case")
    func methods() {
        #expect(HTTPMethod("GET") == .get)
        #expect(HTTPMethod("get") != .get)
    }

    @Test("an IPv6 peer is shown in brackets")
    func peers() {
        #expect(PeerAddress(text: "::1", port: 80).description == "[::1]:80")
        #expect(PeerAddress(text: "10.0.0.1", port: 80).description == "10.0.0.1:80")
    }

    @Test("204 and 304 have no body, others do", arguments: [(200, false), (204, true), (304, true), (404, false)])
    func bodyless(_ code: Int, _ expected: Bool) {
        #expect(HTTPStatus(code).isBodyless == expected)
    }
}
