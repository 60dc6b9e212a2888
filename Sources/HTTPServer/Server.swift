import Kernel

/// An HTTP/1.1 server: connections, framing, TLS, limits, time-outs and draining, and nothing of routes.
///
/// The handler runs when a head is complete and no byte of the body was asked for, in one task per request, which is
/// cancelled when the client leaves, is too slow, or the server stops.
package struct Server: Service {
    package let name = "http"

    private let core: ServerCore

    /// A server that does not listen yet.
    ///
    /// - Parameters:
    ///   - inline: asked first, on the thread that moves the bytes: it must be quick and must not block. Nil leaves the
    ///     request to the handler.
    ///   - handler: makes every other answer.
    package init(
        configuration: HTTPServerConfiguration,
        inline: @escaping @Sendable (HTTPRequestHead) -> HTTPResponse? = { _ in nil },
        handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse
    ) {
        core = ServerCore(configuration: configuration, inline: inline, handler: handler)
    }

    /// Listens, and answers from now on; a second call changes nothing.
    ///
    /// For whoever needs the port before `run`, which must follow: only the end of `run` frees what a start has taken.
    ///
    /// - Returns: the bound ports, in the order of the addresses.
    /// - Throws: `ServiceError`, one line that names the address and what to do, or what is wrong with certificate or
    ///   key.
    @discardableResult
    package func start() throws -> [Int] {
        try core.start()
    }

    /// Serves until `drain` is done or the task is cancelled; then everything is closed and cancelled.
    package func run() async throws {
        try start()
        await core.finished.opened()
        await core.stop()
    }

    /// Accepts nothing more and closes idle connections; returns when the last request was answered.
    ///
    /// Answers under way carry `Connection: close`. A connection that was busy a moment ago is kept for that moment,
    /// because its client may be sending already.
    package func drain() async {
        await core.drain()
    }

    /// Uses another certificate for new connections; on an error the old one stays in use.
    package func replaceTLS(_ tls: HTTPServerConfiguration.TLS) throws {
        try core.replaceTLS(tls)
    }

    package var counters: ServerCounters { core.counters }
}
