/// What a server has done since it started, and what it is at.
package struct ServerCounters: Sendable {
    /// Connections accepted so far, those over the limits among them.
    package var accepted: UInt64 = 0
    /// Connections open now.
    package var activeConnections: UInt64 = 0
    /// Requests whose head was read and that were given to a handler.
    package var requests: UInt64 = 0
    /// Tasks of handlers that run now.
    package var activeRequests: UInt64 = 0
    package var refused: [RefusalReason: UInt64] = [:]

    package init() {}
}
