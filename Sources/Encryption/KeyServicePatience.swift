import OutboundHTTP

/// How long somebody waits for the service that holds the master key.
package struct KeyServicePatience: Sendable {
    /// When the wait ends, whatever happens.
    package let limit: Duration
    /// Ends earlier, so that an answer to the last attempt is still seen.
    let service: ServiceClient.Patience

    package init(_ limit: Duration) {
        self.limit = limit
        service = ServiceClient.Patience(total: limit * 0.6, transfer: limit, body: 1 << 20)
    }

    /// What counts instead while the server starts: nobody waits for an answer then, and a machine that has just come up
    /// may be slow.
    @TaskLocal static var atStart: KeyServicePatience?

    /// What counts now.
    var now: KeyServicePatience { Self.atStart ?? self }

    /// Whoever needs a key that is not cached is told within two seconds that the service is away.
    package static let standard = KeyServicePatience(.milliseconds(1500))
}
