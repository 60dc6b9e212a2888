package import Kernel
import OutboundHTTP

/// Where a service is reached: the parts of an `http` or `https` URL without user, query and fragment.
package struct ServiceAddress: Sendable, Equatable {
    package let scheme: String
    package let host: HostAndPort
    /// Empty, or begins with `/`; never ends with one.
    package let path: String

    package init(scheme: String = "https", host: String) {
        self.scheme = scheme
        self.host = HostAndPort(host: host)
        path = ""
    }

    /// Nil for anything that is no such URL.
    package init?(_ url: String) {
        guard let scheme = ["https", "http"].first(where: { url.lowercased().hasPrefix("\($0)://") }) else {
            return nil
        }
        let rest = url.dropFirst(scheme.count + 3)
        let authority = rest.prefix { $0 != "/" }
        guard let host = HostAndPort(authority), !url.contains("?"), !url.contains("#") else { return nil }
        self.scheme = scheme
        self.host = host
        var path = rest[authority.endIndex...]
        while path.hasSuffix("/") { path.removeLast() }
        self.path = String(path)
    }

    package var url: String { "\(scheme)://\(host)\(path)" }

    /// Whether it is this machine: requests to it need no TLS.
    package var isLoopback: Bool {
        if host.host.lowercased() == "localhost" { return true }
        guard let address = IPAddress(host.host) else { return false }
        return Self.loopback.contains { $0.contains(address) }
    }

    private static let loopback = ["127.0.0.0/8", "::1"].compactMap { AddressRange($0) }
}
