import Testing

/// A request as bytes, and what becomes of it.
struct RequestCase: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let status: Int
    /// Whether the connection ends with the answer.
    let closes: Bool
    /// What a handler that gets the request says about it; nil where the server refuses by itself.
    let answer: String?

    var testDescription: String { name }

    static func refused(_ name: String, _ text: String, _ status: Int = 400) -> RequestCase {
        RequestCase(name: name, bytes: latin1(text), status: status, closes: true, answer: nil)
    }

    static func served(_ name: String, _ text: String, _ answer: String, closes: Bool = false) -> RequestCase {
        RequestCase(name: name, bytes: latin1(text), status: 200, closes: closes, answer: answer)
    }

    static func brokenBody(_ name: String, _ chunks: String) -> RequestCase {
        RequestCase(name: name, bytes: latin1(chunkedPost("/a", chunks)), status: 400, closes: true, answer: "broken")
    }

    /// One byte per character, so that a case can hold any byte.
    private static func latin1(_ text: String) -> [UInt8] {
        text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    }

    static let all = requestLines + fields + hosts + framing + chunks + expectations
}

// MARK: - Request lines

extension RequestCase {
    static let requestLines: [RequestCase] = [
        .refused("bare LF ends the lines", "GET / HTTP/1.1\nHost: x\n\n"),
        .refused("two spaces after the method", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("two spaces before the version", "GET /  HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("no version", "GET /\r\nHost: x\r\n\r\n"),
        .refused("HTTP/0.9", "GET / HTTP/0.9\r\nHost: x\r\n\r\n"),
        .refused("HTTP/1.2", "GET / HTTP/1.2\r\nHost: x\r\n\r\n"),
        .refused("HTTP/2.0", "GET / HTTP/2.0\r\nHost: x\r\n\r\n"),
        .refused("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        .refused("a version of three digits", "GET / HTTP/1.10\r\nHost: x\r\n\r\n"),
        .refused("a version in lower case", "GET / http/1.1\r\nHost: x\r\n\r\n"),
        .refused("a space inside the version", "GET / HTTP /1.1\r\nHost: x\r\n\r\n"),
        .refused("a space after the version", "GET / HTTP/1.1 \r\nHost: x\r\n\r\n"),
        .refused("CR CR LF after the version", "GET / HTTP/1.1\r\r\nHost: x\r\n\r\n"),
        .refused("a leading space", " GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("a leading empty line", "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("tabs as separators", "GET\t/\tHTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("NUL in the method", "G\0ET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("no method", " / HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("a parenthesis in the method", "GE(T / HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("a method of 33 letters", "\(String(repeating: "M", count: 33)) / HTTP/1.1\r\nHost: x\r\n\r\n"),
        .served("a method that nobody knows", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", "BREW / 0"),
        .served("a method in lower case", "get / HTTP/1.1\r\nHost: x\r\n\r\n", "get / 0"),
        .refused("NUL in the target", "GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("a control in the target", "GET /a\u{1}b HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("DEL in the target", "GET /a\u{7f}b HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("a byte above ASCII in the target", "GET /a\u{e9}b HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("a fragment in the target", "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("a target without slash", "GET a HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("an empty target", "GET  HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("an asterisk that is not for OPTIONS", "GET * HTTP/1.1\r\nHost: x\r\n\r\n"),
        .served("OPTIONS of everything", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS * 0"),
        .refused("CONNECT with an authority", "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", 501),
        .refused("CONNECT with a path", "CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        .served("the absolute form of our host", "GET http://X/a?b HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a?b 0"),
        .served("the absolute form without path", "GET https://x HTTP/1.1\r\nHost: x\r\n\r\n", "GET / 0"),
        .served("the absolute form with a query only", "GET http://x?q HTTP/1.1\r\nHost: x\r\n\r\n", "GET /?q 0"),
        .refused("the absolute form of another host", "GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("the absolute form of another port", "GET http://x:81/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("the absolute form with a user", "GET http://x@y/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("the absolute form of nothing", "GET http:// HTTP/1.1\r\nHost: x\r\n\r\n"),
        .refused("the absolute form without Host in 1.0", "GET http://x/ HTTP/1.0\r\n\r\n"),
        .refused("another scheme", "GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        .served("a target that looks like an authority", get("//y/a"), "GET //y/a 0"),
        .served("a target is not decoded", get("/a%2Fb/%00/../c;d?e=%20+f?g"), "GET /a%2Fb/%00/../c;d?e=%20+f?g 0"),
        .refused("a target of 16 KiB and a byte", get("/" + String(repeating: "a", count: 16_384)), 414),
        .refused("a target of 80 KiB", get("/" + String(repeating: "a", count: 81_920)), 414),
        .refused("a TLS greeting", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}abcdef\r\n\r\n"),
        .refused("the greeting of SSH", "SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        .refused("binary", "\0\0\0\0\0\0\0\0\r\n\r\n"),
    ]
}

// MARK: - Fields

extension RequestCase {
    static let fields: [RequestCase] = [
        .refused("a space before the colon", get("/", "A : b\r\n")),
        .refused("a tab before the colon", get("/", "A\t: b\r\n")),
        .refused("no colon", get("/", "A\r\n")),
        .refused("no name", get("/", ": b\r\n")),
        .refused("NUL in a name", get("/", "A\0B: c\r\n")),
        .refused("NUL in a value", get("/", "A: b\0c\r\n")),
        .refused("a bare CR in a value", get("/", "A: b\rc\r\n")),
        .refused("a bare LF between fields", get("/", "A: b\nC: d\r\n")),
        .refused("a space in a name", get("/", "A B: c\r\n")),
        .refused("a byte above ASCII in a name", get("/", "A\u{e9}: c\r\n")),
        .refused("a parenthesis in a name", get("/", "A(: c\r\n")),
        .refused("a control in a value", get("/", "A: b\u{1}c\r\n")),
        .refused("DEL in a value", get("/", "A: b\u{7f}c\r\n")),
        .refused("a first field that is folded", "GET / HTTP/1.1\r\n Host: x\r\n\r\n"),
        .refused("LF as the empty line", "GET / HTTP/1.1\r\nHost: x\r\n\n"),
        .refused("CR CR LF as the empty line", "GET / HTTP/1.1\r\nHost: x\r\n\r\r\n"),
        .served("an empty value", get("/", "A:\r\n"), "GET / 0"),
        .served("bytes above ASCII in a value", get("/", "A: \u{c3}\u{a9}\r\n"), "GET / 0"),
        .served("a folded value", get("/", "A: b\r\n  c\r\n"), "GET / 0"),
        .served("white space around a value", get("/", "A: \t b \t \r\n"), "GET / 0"),
        .served("100 fields", get("/", lines(99)), "GET / 0"),
        .refused("101 fields", get("/", lines(100)), 431),
        .refused("one field beyond 64 KiB", get("/", "A: \(String(repeating: "b", count: 70_000))\r\n"), 431),
        .refused("fields of 64 KiB together", get("/", lines(90, width: 730)), 431),
        .served("fields of 60 KiB together", get("/", lines(90, width: 660)), "GET / 0"),
        .served("Connection: close", get("/", "Connection: close\r\n"), "GET / 0", closes: true),
        .served("close among other options", get("/", "Connection: Foo , CLOSE\r\n"), "GET / 0", closes: true),
        .refused("a broken Connection", get("/", "Connection: a b\r\n")),
        .served("an upgrade that is not for us", get("/", "Connection: upgrade\r\nUpgrade: h2c\r\n"), "GET / 0"),
        .served("HTTP/1.0 ends by itself", "GET / HTTP/1.0\r\nHost: x\r\n\r\n", "GET / 0", closes: true),
        .served("HTTP/1.0 that asks to live on", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET / 0"),
    ]

    private static func lines(_ count: Int, width: Int = 1) -> String {
        (0..<count).map { "F\($0): \(String(repeating: "v", count: width))\r\n" }.joined()
    }
}

// MARK: - Host

extension RequestCase {
    static let hosts: [RequestCase] = [
        .refused("no Host", "GET / HTTP/1.1\r\n\r\n"),
        .refused("Host twice, the same", "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"),
        .refused("Host twice, not the same", "GET / HTTP/1.1\r\nHost: x\r\nhost: y\r\n\r\n"),
        .refused("Host twice in 1.0", "GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n"),
        .refused("an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
        .refused("a Host with a space", "GET / HTTP/1.1\r\nHost: x y\r\n\r\n"),
        .refused("a list of Hosts", "GET / HTTP/1.1\r\nHost: x, y\r\n\r\n"),
        .refused("a Host with a path", "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n"),
        .refused("a Host with a user", "GET / HTTP/1.1\r\nHost: x@y\r\n\r\n"),
        .refused("a Host with a backslash", "GET / HTTP/1.1\r\nHost: x\\y\r\n\r\n"),
        .refused("a Host above ASCII", "GET / HTTP/1.1\r\nHost: \u{e9}\r\n\r\n"),
        .refused("a folded Host", "GET / HTTP/1.1\r\nHost: x\r\n y\r\n\r\n"),
        .served("a Host with a port", "GET / HTTP/1.1\r\nHost: x:8080\r\n\r\n", "GET / 0"),
        .served("an IPv6 Host", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", "GET / 0"),
    ]
}
