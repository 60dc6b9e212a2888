package import Kernel
package import Transfers

/// Which requests to configured services go through a proxy.
///
/// | Variable | Meaning | Default |
/// |---|---|---|
/// | `HTTPS_PROXY` | Proxy for `https` URLs, as `http://proxy:3128` | none |
/// | `HTTP_PROXY` | Proxy for `http` URLs | none |
/// | `NO_PROXY` | Hosts that are reached directly, separated by commas, or `*` | none |
package struct ProxyRules: Sendable {
    private let plain: String?
    private let secure: String?
    private let exceptions: String?

    package init(settings: Settings) {
        plain = Self.proxy("HTTP_PROXY", settings)
        secure = Self.proxy("HTTPS_PROXY", settings)
        exceptions = settings.string("NO_PROXY")
    }

    /// No proxies.
    package init() {
        (plain, secure, exceptions) = (nil, nil, nil)
    }

    private static func proxy(_ name: String, _ settings: Settings) -> String? {
        settings.url(name, schemes: ["http", "https"])
    }

    package func proxy(for url: String) -> TransferProxy? {
        let proxy = url.hasPrefix("https:") ? secure : plain
        return proxy.map { TransferProxy(url: $0, exceptions: exceptions) }
    }
}
