#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where a server listens: host and TCP port.
///
/// Written `host:port`, `host` (port 3306), `[::1]:port` or `[::1]`.
package struct MySQLEndpoint: Sendable, Hashable, CustomStringConvertible {
    package static let defaultPort = 3306

    /// A name or an address; an IPv6 address without brackets.
    package let host: String
    package let port: Int

    package init(host: String, port: Int = MySQLEndpoint.defaultPort) {
        self.host = host
        self.port = port
    }

    /// Reads what an operator wrote.
    package init(_ text: String) throws(MySQLEndpointError) {
        let text = Self.trimmed(text)
        guard !text.isEmpty else { throw .empty }
        guard !text.contains("@") else { throw .hasCredentials }
        guard !text.contains("://"), !text.contains("(") else { throw .hasScheme }
        guard !text.contains("/") else { throw .hasPath }
        let (host, port) = text.hasPrefix("[") ? try Self.splitAddress(text) : try Self.splitName(text)
        self.host = host
        self.port = try port.map(Self.number) ?? Self.defaultPort
    }

    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    private static func trimmed(_ text: String) -> Substring {
        var text = text[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }

    private static func splitAddress(_ text: Substring) throws(MySQLEndpointError) -> (String, Substring?) {
        guard let end = text.firstIndex(of: "]") else { throw .unclosedBracket }
        let host = text[text.index(after: text.startIndex)..<end]
        guard isIPv6(host) else { throw .notAnAddress(String(host)) }
        let rest = text[text.index(after: end)...]
        if rest.isEmpty { return (String(host), nil) }
        guard rest.first == ":" else { throw .notAPort(String(rest)) }
        return (String(host), rest.dropFirst())
    }

    private static func splitName(_ text: Substring) throws(MySQLEndpointError) -> (String, Substring?) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2 else { throw .addressWithoutBrackets(String(text)) }
        guard let host = parts.first, !host.isEmpty else { throw .empty }
        guard host.utf8.count <= 253, host.utf8.allSatisfy(isNameByte) else { throw .notAName(String(host)) }
        return (String(host), parts.count == 2 ? parts[1] : nil)
    }

    private static func number(_ text: Substring) throws(MySQLEndpointError) -> Int {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = Int(text), (1...65535).contains(port)
        else { throw .notAPort(String(text)) }
        return port
    }

    /// Underscores are no part of host names, and yet containers have them.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default:
            false
        }
    }

    /// With or without the zone of a link-local address (`fe80::1%eth0`).
    private static func isIPv6(_ text: Substring) -> Bool {
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first, parts.count == 1 || !parts[1].isEmpty else { return false }
        if parts.count == 2, !parts[1].utf8.allSatisfy(isNameByte) { return false }
        var bytes = in6_addr()
        return inet_pton(AF_INET6, String(address), &bytes) == 1
    }
}

/// Why a text names no endpoint.
///
/// The description says what to write instead; it never shows a text that may hold a password.
package enum MySQLEndpointError: Error, Sendable, Equatable, CustomStringConvertible {
    case empty
    case hasScheme
    case hasCredentials
    case hasPath
    case unclosedBracket
    case notAnAddress(String)
    case addressWithoutBrackets(String)
    case notAName(String)
    case notAPort(String)

    package var description: String {
        switch self {
        case .empty:
            "names no host; write host:port"
        case .hasScheme:
            "has a scheme; write host:port without one"
        case .hasCredentials:
            "has a user name; write host:port, user and password have settings of their own"
        case .hasPath:
            "has a path; write host:port, the database has a setting of its own and sockets are not supported"
        case .unclosedBracket:
            "has a bracket that is not closed; write [address]:port"
        case .notAnAddress(let text):
            "has '\(text)' in brackets, which is no IPv6 address"
        case .addressWithoutBrackets(let text):
            "is '\(text)', which has several colons; write an IPv6 address in brackets: [address]:port"
        case .notAName(let text):
            "has '\(text)', which is no host name"
        case .notAPort(let text):
            "has '\(text)' where a port from 1 to 65535 belongs"
        }
    }
}
