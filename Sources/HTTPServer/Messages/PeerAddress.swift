/// Who is at the other end of the connection: the client, or the proxy in front of us.
package struct PeerAddress: Hashable, Sendable, CustomStringConvertible {
    /// The numeric address without brackets; an IPv4 client of a dual-stack socket is shown as IPv4.
    package let text: String
    package let port: Int

    package init(text: String, port: Int) {
        self.text = text
        self.port = port
    }

    package var description: String {
        text.utf8.contains(UInt8(ascii: ":")) ? "[\(text)]:\(port)" : "\(text):\(port)"
    }
}
