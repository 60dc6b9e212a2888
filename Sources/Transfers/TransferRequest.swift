/// One request to another server.
package struct TransferRequest: Sendable {
    /// In capitals, as `GET`.
    package var method: String
    /// With `http://` or `https://`; sent as it is written, dots in its path included.
    package var url: String
    package var headers: [(name: String, value: String)]
    /// Nil for a request without a body.
    package var body: [UInt8]?
    package var limits = TransferLimits()
    package var trust = TransferTrust()
    package var proxy: TransferProxy?

    package init(_ method: String, _ url: String, headers: [(String, String)] = [], body: [UInt8]? = nil) {
        self.method = method
        self.url = url
        self.headers = headers.map { ($0.0, $0.1) }
        self.body = body
    }
}

/// How long a transfer may take, and how much it may bring.
package struct TransferLimits: Sendable {
    package var connect = Duration.seconds(5)
    package var total = Duration.seconds(10)
    /// How long no byte may move; whole seconds.
    package var stall = Duration.seconds(10)
    /// The most bytes of an answer's body.
    package var body = 1 << 20

    package init() {}
}

/// Which servers are trusted, and whether a connection to them is kept.
package struct TransferTrust: Sendable {
    /// Certificates that may sign the server's, as PEM text; nil for those of the system.
    package var authorities: String?
    /// Whether one of them must have signed it.
    ///
    /// The host's name must be in the certificate in any case.
    package var verifies = true
    /// Whether the answer has the server's certificate.
    package var wantsCertificate = false
    /// Whether a kept connection may be used, and this one be kept for later.
    package var keepsConnection = false
    /// Asked about each address at the moment it is connected to; nil permits all.
    package var permits: (@Sendable (_ address: [UInt8], _ isPlain: Bool) -> Bool)?

    package init() {}
}

/// A server that passes requests on.
package struct TransferProxy: Sendable, Equatable {
    package var url: String
    /// Hosts that are reached without it, as `NO_PROXY` lists them.
    package var exceptions: String?

    package init(url: String, exceptions: String?) {
        self.url = url
        self.exceptions = exceptions
    }
}

/// What the other server answered.
package struct TransferResponse: Sendable {
    package var status: Int
    /// In the order they came, names as they were sent.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// The server's own certificate as PEM text; nil unless it was asked for.
    package var certificate: String?

    package init(
        status: Int,
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = [],
        certificate: String? = nil
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.certificate = certificate
    }

    /// The first header of that name, in any case.
    package subscript(header name: String) -> String? {
        headers.first { Self.isSame($0.name, name) }?.value
    }

    private static func isSame(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count
            && zip(left.utf8, right.utf8).allSatisfy { $0 == $1 || lowercased($0) == lowercased($1) }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (65...90).contains(byte) ? byte + 32 : byte
    }
}

/// Why there is no answer.
package struct TransferError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        case badURL
        /// The rules do not permit the address that the name stands for.
        case addressRefused
        case untrustedCertificate
        case tooLarge
        case timedOut
        /// No connection, or one that broke: the request may have been carried out.
        case failed
        case cancelled
    }

    package var reason: Reason
    /// For the log.
    package var description: String

    package init(_ reason: Reason, _ description: String) {
        self.reason = reason
        self.description = description
    }
}
