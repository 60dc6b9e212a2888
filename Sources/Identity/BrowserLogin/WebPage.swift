package import Contract

/// Something for a browser, with the headers that keep it from doing more than showing it.
package struct WebPage: OperationOutput {
    private let contentType: String
    private let text: String?
    private let headers: [RenderedOutput.Header]

    /// A page that runs no script, is in no frame, is not kept, and whose address is told to nobody.
    ///
    /// - Parameter formTarget: where its form may lead besides this server, such as `http://127.0.0.1:4711`.
    static func html(_ text: String, formTarget: String? = nil, cookie: String? = nil) -> WebPage {
        let targets = formTarget.map { "'self' \($0)" } ?? "'none'"
        let policy = """
            default-src 'none'; style-src 'self'; form-action \(targets); frame-ancestors 'none'; base-uri 'none'
            """
        var headers =
            common + [
                RenderedOutput.Header("Content-Security-Policy", policy),
                RenderedOutput.Header("X-Frame-Options", "DENY"),
                RenderedOutput.Header("Cross-Origin-Opener-Policy", "same-origin"),
                RenderedOutput.Header("Cache-Control", "no-store"),
            ]
        if let cookie { headers.append(RenderedOutput.Header("Set-Cookie", cookie)) }
        return WebPage(contentType: "text/html; charset=utf-8", text: text, headers: headers)
    }

    /// Sends the browser elsewhere.
    static func redirect(to url: String) -> WebPage {
        WebPage(
            contentType: "",
            text: nil,
            headers: common + [
                RenderedOutput.Header("Location", url), RenderedOutput.Header("Cache-Control", "no-store"),
            ]
        )
    }

    static func css(_ text: String) -> WebPage {
        WebPage(
            contentType: "text/css; charset=utf-8",
            text: text,
            headers: common + [RenderedOutput.Header("Cache-Control", "max-age=3600")]
        )
    }

    private static let common = [
        RenderedOutput.Header("Referrer-Policy", "no-referrer"),
        RenderedOutput.Header("X-Content-Type-Options", "nosniff"),
    ]

    package func render() -> RenderedOutput {
        guard let text else { return RenderedOutput(.none, headers: headers) }
        return RenderedOutput(.raw(RawOutput(contentType: contentType, text: text)), headers: headers)
    }
}
