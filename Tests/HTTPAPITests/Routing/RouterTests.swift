import Contract
import HTTPAPI
import Testing

@Suite("The router")
struct RouterTests {
    private let routes: [(OperationMethod, String)] = [
        (.get, "/"),
        (.get, "/a/{x}"),
        (.get, "/a/b"),
        (.post, "/a/b"),
        (.get, "/a/{x}/c"),
        (.get, "/a/b/{y}/d"),
        (.get, "/{z}/b/c/e"),
        (.delete, "/a/{x}"),
        (.head, "/only-head"),
        (.get, "/a/{x}/open/{y}"),
        (.get, "/a/open/{x}/deep"),
    ]

    @Test(
        "prefers literals, leaves dead ends, and tells what a path offers",
        arguments: [
            ("GET", "/", "/"),
            ("GET", "", "/"),
            ("GET", "//", "/"),
            ("GET", "/a/b", "/a/b"),
            ("GET", "/a/bb", "/a/{x}"),
            ("GET", "/a/%62", "/a/b"),
            ("GET", "/%61/b", "/a/b"),
            ("GET", "/a//b/", "/a/b"),
            ("GET", "/a/B", "/a/{x}"),
            ("GET", "/a/b/c", "/a/{x}/c"),
            ("GET", "/a/b/c/d", "/a/b/{y}/d"),
            ("GET", "/a/b/c/e", "/{z}/b/c/e"),
            ("GET", "/a/open/open/deep", "/a/open/{x}/deep"),
            ("GET", "/a/x/open/deep", "/a/{x}/open/{y}"),
            ("GET", "/a/open/open/y", "/a/{x}/open/{y}"),
            ("GET", "/a/%2F", "/a/{x}"),
            ("GET", "/a/%E4%BD%A0", "/a/{x}"),
            ("HEAD", "/a/b", "/a/b"),
            ("HEAD", "/only-head", "/only-head"),
            ("GET", "/only-head", "405 HEAD"),
            ("DELETE", "/a/b", "/a/{x}"),
            ("POST", "/a/x", "405 GET HEAD DELETE"),
            ("PUT", "/a/b", "405 GET HEAD POST DELETE"),
            ("OPTIONS", "/a/b", "405 GET HEAD POST DELETE"),
            ("get", "/a/b", "405 GET HEAD POST DELETE"),
            ("GET", "/a", "404"),
            ("GET", "/a/b/c/f", "404"),
            ("GET", "/a/b/c/d/e", "404"),
            ("GET", "/b", "404"),
            ("GET", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16", "404"),
            ("GET", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", "404"),
            ("GET", "/a/%", "badEscape"),
            ("GET", "/a/%4", "badEscape"),
            ("GET", "/a/%4g", "badEscape"),
            ("GET", "/a/%00", "nul"),
            ("GET", "/a/.", "dots"),
            ("GET", "/a/..", "dots"),
            ("GET", "/a/%2e%2E", "dots"),
            ("GET", "/a/.%2e/b", "dots"),
            ("GET", "/a/...", "/a/{x}"),
            ("GET", "/a/.b", "/a/{x}"),
        ]
    )
    func matches(method: String, path: String, expected: String) {
        let router = Router(routes.map { ($0.0, PathTemplate($0.1)) })

        let match = router.match(OperationMethod(rawValue: method), Array(path.utf8).span)

        #expect(describe(match) == expected)
    }

    private func describe(_ match: Router.Match) -> String {
        switch match {
        case .found(let route, _): routes[route].1
        case .methodNotAllowed(let methods): "405 \(methods.map(\.rawValue).joined(separator: " "))"
        case .notFound: "404"
        case .malformed(let problem): "\(problem)"
        }
    }
}

@Suite("Percent-encoding")
struct PercentEncodingTests {
    @Test(
        "is decoded once",
        arguments: [
            ("", ""), ("abc", "abc"), ("%41", "A"), ("%2525", "%25"), ("a%20b", "a b"), ("%e4%BD%a0", "你"),
            ("+", "+"), ("%2B", "+"),
        ]
    )
    func decodes(text: String, expected: String) {
        #expect(PercentEncoding.decode(Array(text.utf8)) == Array(expected.utf8))
    }

    @Test("is refused where it is broken", arguments: ["%", "%1", "a%", "%zz", "%1z", "%-1", "%%41"])
    func refuses(text: String) {
        #expect(PercentEncoding.decode(Array(text.utf8)) == nil)
    }
}
