import HTTPServer

extension CallContext {
    /// The first value of a header field; nil when the request has none of that name.
    package func header(_ name: String) -> String? {
        headers[name]
    }

    /// Every value of a header field, in order.
    package func headerValues(_ name: String) -> [String] {
        headers.values(for: name)
    }
}
