package import HTTPServer

/// An answer as a client sees it.
package struct TestReply: Sendable, CustomStringConvertible {
    package let status: Int
    package let headers: HTTPHeaders
    /// The bytes as sent; none for `HEAD`, 204 and 304.
    package let body: [UInt8]

    package var text: String {
        String(decoding: body, as: UTF8.self)
    }

    /// The body as JSON; nothing when it is none.
    package var json: JSONView {
        (try? JSONView(body)) ?? JSONView(nil)
    }

    /// The `message` of an error.
    package var message: String? { json["message"].string }

    package var isSuccess: Bool { (200..<300).contains(status) }

    package var description: String {
        "\(status) \(text.prefix(600))"
    }
}

/// A reply that a test cannot go on with.
package struct UnexpectedReply: Error, CustomStringConvertible {
    package let description: String

    init(_ request: String, _ reply: TestReply) {
        description = "\(request): \(reply)"
    }
}
