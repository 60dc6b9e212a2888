package import Kernel

/// Where a server listens and what it puts up with.
package struct HTTPServerConfiguration: Sendable {
    /// A host (numeric, or a name that this machine resolves) and a port; port 0 lets the system choose.
    package struct Address: Hashable, Sendable, CustomStringConvertible {
        package var host: String
        package var port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        package var description: String { PeerAddress(text: host, port: port).description }
    }

    package enum TLSVersion: Int, CaseIterable, Sendable {
        case v1_0 = 10
        case v1_1 = 11
        case v1_2 = 12
        case v1_3 = 13
    }

    /// The certificate, followed by the rest of its chain, and its key without a passphrase; both as PEM.
    package struct TLS: Sendable {
        package var certificate: [UInt8]
        package var key: Redacted<[UInt8]>
        package var minimumVersion: TLSVersion

        package init(certificate: [UInt8], key: Redacted<[UInt8]>, minimumVersion: TLSVersion = .v1_2) {
            self.certificate = certificate
            self.key = key
            self.minimumVersion = minimumVersion
        }

        /// Whether a server can start with them, tried without starting one.
        ///
        /// - Throws: `.invalidArgument` in words that name certificate or key and show neither.
        package func check() throws {
            try CServerStart.checkTLS(self)
        }
    }

    /// Sizes and numbers.
    package struct Limits: Sendable {
        package var connections = 4096
        /// Per IPv4 address, or per IPv6 network of 64 bits.
        package var connectionsPerAddress = 100
        /// Addresses and networks (`10.0.0.0/8`) without that limit: proxies that speak for many clients.
        package var unlimitedAddresses: [String] = []
        /// At most 65,536: a head must fit into one buffer.
        package var headBytes = 65_536
        package var targetBytes = 16_384
        package var fields = 100
        /// How much of a body that nobody read is dropped so that the connection can live on.
        package var skippedBytes = 65_536

        package init() {}
    }

    /// How long a client may take.
    package struct TimeLimits: Sendable {
        package var handshake: Duration = .seconds(10)
        /// For the whole head, from its first byte.
        package var head: Duration = .seconds(10)
        /// Between two requests, and before the first one.
        package var idle: Duration = .seconds(75)
        /// Least bytes per second of bodies in both directions, on average over `rateWindow` and after `rateGrace`.
        ///
        /// Only the time in which we wait for the client counts.
        package var minimumRate = 1024
        package var rateGrace: Duration = .seconds(10)
        package var rateWindow: Duration = .seconds(30)
        /// How long a connection that we end is read on, so that its client sees the answer and not a reset.
        package var linger: Duration = .seconds(1)
        /// How long a connection must have been idle for a drain to close it.
        package var drainIdle: Duration = .seconds(1)
        /// How often time-outs are looked at, and clients that left.
        ///
        /// At most half a second keeps the promise that a departure cancels the handler within one.
        package var tick: Duration = .milliseconds(250)
        /// How long a stop waits for handlers that were cancelled.
        package var stop: Duration = .seconds(5)

        package init() {}
    }

    package var addresses: [Address]
    package var tls: TLS?
    /// Threads that move bytes; nil for one per core.
    package var loops: Int?
    /// Where handlers run; nil for Swift's pool, whose threads must never wait for a disk.
    package var executor: (any TaskExecutor)?
    package var limits = Limits()
    package var timeLimits = TimeLimits()
    /// What the header field `Server` says.
    package var serverName = "Cairn"
    /// Makes the answers for what the server refuses by itself, once per reason at the start, so that the wire form of
    /// errors is known in one place only, above this module.
    package var readyAnswer: @Sendable (RefusalReason) -> ReadyAnswer = { ReadyAnswer.plain($0) }

    package init(addresses: [Address], tls: TLS? = nil) {
        self.addresses = addresses
        self.tls = tls
    }
}
