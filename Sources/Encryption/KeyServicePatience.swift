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

    @TaskLocal private static var extended: KeyServicePatience?

    /// What counts now.
    var now: KeyServicePatience { Self.extended ?? self }

    /// Runs `body` with the patience of those for whom no client waits: a server that starts, on a machine that has just
    /// come up and may be slow, and a command of an operator.
    package static func extended<T>(_ body: () async throws -> T) async rethrows -> T {
        try await $extended.withValue(KeyServicePatience(.seconds(15)), operation: body)
    }

    /// Whoever needs a key that is not cached is told within two seconds that the service is away.
    package static let standard = KeyServicePatience(.milliseconds(1500))
}
