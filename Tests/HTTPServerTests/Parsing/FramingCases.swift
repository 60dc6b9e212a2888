/// What states where a body ends, and bodies that come in chunks.
extension RequestCase {
    private static func length(_ value: String, _ body: String = "hello") -> String {
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: \(value)\r\n\r\n\(body)"
    }

    private static func coding(_ value: String, version: String = "1.1") -> String {
        "POST /a HTTP/\(version)\r\nHost: x\r\nTransfer-Encoding: \(value)\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    }

    private static func both(_ fields: String) -> String {
        "POST /a HTTP/1.1\r\nHost: x\r\n\(fields)\r\n5\r\nhello\r\n0\r\n\r\n"
    }

    static let framing: [RequestCase] = [
        .served("a length", length("5"), "POST /a 5"),
        .served("a length of zero", length("0", ""), "POST /a 0"),
        .served("a length with leading zeros", length("0005"), "POST /a 5"),
        .served("white space around a length", length(" \t5 "), "POST /a 5"),
        .served("a folded length", length("\r\n 5"), "POST /a 5"),
        .served("a length for GET", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab", "GET / 2"),
        .served("neither length nor chunks", "POST /a HTTP/1.1\r\nHost: x\r\n\r\n", "POST /a 0"),
        .refused("length, then chunks", both("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")),
        .refused("chunks, then length", both("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")),
        .refused("length of zero, then chunks", both("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n")),
        .refused("two lengths", both("Content-Length: 5\r\nContent-Length: 6\r\n")),
        .refused("the same length twice", both("Content-Length: 5\r\nContent-Length: 5\r\n")),
        .refused("the same length twice in a list", length("5, 5")),
        .refused("two lengths in a list", length("5,6")),
        .refused("a list that ends in a comma", length("5,")),
        .refused("a list that begins with a comma", length(",5")),
        .refused("a plus before the length", length("+5")),
        .refused("a minus before the length", length("-5")),
        .refused("a minus before zero", length("-0")),
        .refused("a length with a space inside", length("5 5")),
        .refused("a hexadecimal length", length("0x5")),
        .refused("a length with a point", length("5.0")),
        .refused("an empty length", length("")),
        .refused("a length with a semicolon", length("5;a")),
        .refused("a quoted length", length("\"5\"")),
        .refused("a length of 2^64", length("18446744073709551616")),
        .refused("a length of 2^64 − 1", length("18446744073709551615")),
        .refused("a length of 2^63", length("9223372036854775808")),
        .served("chunked in any case", coding("ChUnKeD"), "POST /a 5"),
        .served("a folded chunked", coding("\r\n chunked"), "POST /a 5"),
        .refused("gzip", coding("gzip"), 501),
        .refused("gzip, then chunked", coding("gzip, chunked"), 501),
        .refused("chunked, then gzip", coding("chunked, gzip"), 501),
        .refused("chunked twice in a list", coding("chunked, chunked"), 501),
        .refused("identity", coding("identity"), 501),
        .refused("a word that ends in chunked", coding("xchunked"), 501),
        .refused("a word that begins with chunked", coding("chunkedx"), 501),
        .refused("chunked with a parameter", coding("chunked;a=b"), 501),
        .refused("quoted chunked", coding("\"chunked\""), 501),
        .refused("no coding", coding(""), 501),
        .refused("a comma alone", coding(","), 501),
        .refused("a list that ends in a comma, of codings", coding("chunked,"), 501),
        .refused("a vertical tab before chunked", coding("\u{b}chunked")),
        .refused("chunked in two fields", both("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")),
        .refused("two codings in two fields", both("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), 501),
        .refused("chunked, then identity", both("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n")),
        .refused("chunks in HTTP/1.0", coding("chunked", version: "1.0")),
        .refused("a space before the colon of the coding", both("Transfer-Encoding : chunked\r\n")),
        .refused("NUL after the name of the coding", both("Transfer-Encoding\0: chunked\r\n")),
    ]

    static let chunks: [RequestCase] = [
        .served("one chunk", chunkedPost("/a", "5\r\nhello\r\n0\r\n\r\n"), "POST /a 5"),
        .served("two chunks", chunkedPost("/a", "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"), "POST /a 6"),
        .served("no chunk", chunkedPost("/a", "0\r\n\r\n"), "POST /a 0"),
        .served("a size in capitals", chunkedPost("/a", "A\r\nhellohello\r\n0\r\n\r\n"), "POST /a 10"),
        .served("a size with leading zeros", chunkedPost("/a", "0005\r\nhello\r\n000\r\n\r\n"), "POST /a 5"),
        .served("an extension", chunkedPost("/a", "5;a=b\r\nhello\r\n0;c\r\n\r\n"), "POST /a 5"),
        .served("a quoted extension", chunkedPost("/a", "5;a=\"b;\\\"c\"\r\nhello\r\n0\r\n\r\n"), "POST /a 5"),
        .served("a trailer", chunkedPost("/a", "5\r\nhello\r\n0\r\nA: b\r\n\r\n"), "POST /a 5"),
        .served("chunk-like bytes in a chunk", chunkedPost("/a", "5\r\n0\r\n\r\n\r\n0\r\n\r\n"), "POST /a 5"),
        .brokenBody("a size that is no number", "G\r\nhello\r\n0\r\n\r\n"),
        .brokenBody("a negative size", "-5\r\nhello\r\n0\r\n\r\n"),
        .brokenBody("a plus before the size", "+5\r\nhello\r\n0\r\n\r\n"),
        .brokenBody("0x before the size", "0x5\r\nhello\r\n0\r\n\r\n"),
        .brokenBody("no size", "\r\nhello\r\n0\r\n\r\n"),
        .brokenBody("a space before the size", " 5\r\nhello\r\n0\r\n\r\n"),
        .brokenBody("a size beyond 64 bits", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
        .brokenBody("a size with a point", "5.0\r\nhello\r\n0\r\n\r\n"),
        .brokenBody("CR alone after the size", "5\rhello\r\n0\r\n\r\n"),
        .brokenBody("no line end after a chunk", "5\r\nhelloX\r\n0\r\n\r\n"),
        .brokenBody("LF alone after a chunk", "5\r\nhello\n0\r\n\r\n\r\n"),
        .brokenBody("more bytes than the size says", "3\r\nhello\r\n0\r\n\r\n"),
        .brokenBody("NUL in an extension", "5;a\0b\r\nhello\r\n0\r\n\r\n"),
        .brokenBody("a control in an extension", "5;\u{1}\r\nhello\r\n0\r\n\r\n"),
        .brokenBody("an extension without name", "5;=b\r\nhello\r\n0\r\n\r\n"),
        .brokenBody("an extension that is not closed", "5;a=\"b\r\nhello\r\n0\r\n\r\n"),
        .brokenBody("an extension that ends in an escape", "5;a=\"b\\\r\nhello\r\n0\r\n\r\n"),
        .brokenBody("a second chunk's extension that is not closed", "1\r\na\r\n5;a=\"b\r\nhello\r\n0\r\n\r\n"),
        .served("a quote in an extension", chunkedPost("/a", "0;a=\"b\\\"c\"\r\nA: \"\r\n\r\n"), "POST /a 0"),
        .brokenBody("a trailer without colon", "5\r\nhello\r\n0\r\nAb\r\n\r\n"),
        .brokenBody("a trailer with a space before the colon", "5\r\nhello\r\n0\r\nA : b\r\n\r\n"),
        .brokenBody("a length in the trailer", "5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n"),
        .brokenBody("a coding in the trailer", "5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        .brokenBody("an extension of 70 KB", "5;a=\(String(repeating: "b", count: 70_000))\r\nhello\r\n0\r\n\r\n"),
    ]

    static let expectations: [RequestCase] = [
        .refused("an expectation that nobody knows", get("/", "Expect: 200-ok\r\n"), 417),
        .refused("two expectations", get("/", "Expect: 100-continue, x\r\n"), 417),
        .refused("an expectation twice", get("/", "Expect: 100-continue\r\nExpect: 100-continue\r\n"), 417),
        .served("an expectation without body", get("/", "Expect: 100-continue\r\n"), "GET / 0"),
        .served("an expectation with the body", post("/a", "hello", "Expect: 100-continue\r\n"), "POST /a 5"),
    ]
}
