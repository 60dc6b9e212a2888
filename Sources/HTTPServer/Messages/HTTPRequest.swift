/// What is known of a request before a byte of its body is read.
package struct HTTPRequestHead: Sendable {
    package let method: HTTPMethod
    package let target: RawTarget
    package let headers: HTTPHeaders
    package let peer: PeerAddress

    /// Whether the connection to *us* is encrypted; a proxy in front tells about its own in a header.
    package let isTLS: Bool

    package init(
        method: HTTPMethod,
        target: RawTarget,
        headers: HTTPHeaders = [:],
        peer: PeerAddress = PeerAddress(text: "127.0.0.1", port: 0),
        isTLS: Bool = false
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.peer = peer
        self.isTLS = isTLS
    }
}

/// One request, as a handler gets it: the head complete, the body not read yet.
package struct HTTPRequest: Sendable {
    package let head: HTTPRequestHead
    package let body: RequestBody

    package var method: HTTPMethod { head.method }
    package var target: RawTarget { head.target }
    package var headers: HTTPHeaders { head.headers }
    package var peer: PeerAddress { head.peer }
    package var isTLS: Bool { head.isTLS }

    package init(head: HTTPRequestHead, body: RequestBody = .empty) {
        self.head = head
        self.body = body
    }

    package init(
        method: HTTPMethod,
        target: RawTarget,
        headers: HTTPHeaders = [:],
        peer: PeerAddress = PeerAddress(text: "127.0.0.1", port: 0),
        isTLS: Bool = false,
        body: RequestBody = .empty
    ) {
        head = HTTPRequestHead(method: method, target: target, headers: headers, peer: peer, isTLS: isTLS)
        self.body = body
    }
}
