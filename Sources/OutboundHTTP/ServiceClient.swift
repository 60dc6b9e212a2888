import Kernel
package import Transfers

/// Requests to services that the operator configured: object stores, key services, clouds.
///
/// Connections are kept. What may pass by itself (no connection, too many requests, an error of the server's) is tried
/// again with growing waits, until the caller's patience ends; so a request must be one that may be carried out twice.
package struct ServiceClient: Sendable {
    /// How long somebody waits for a service, and how much it may answer.
    package struct Patience: Sendable {
        /// No further attempt begins after it; the last one is given up when it stands still for what is left of it, and
        /// for a second at least.
        package var total: Duration
        package var limits: TransferLimits

        /// - Parameters:
        ///   - total: from the first attempt.
        ///   - transfer: one attempt.
        ///   - body: the most bytes of an answer's body.
        package init(total: Duration, transfer: Duration, body: Int) {
            self.total = total
            limits = TransferLimits()
            limits.total = transfer
            limits.stall = min(transfer, .seconds(10))
            limits.body = body
        }
    }

    private let transfers: Transfers
    private let authorities: String?
    private var proxies: ProxyRules
    private let clock: any Clock<Duration>
    private let jitter: @Sendable (ClosedRange<Double>) -> Double
    private let slots: MemoryBudget
    private let leastAttempt: Duration

    /// - Parameters:
    ///   - clock: for the waits.
    ///   - concurrency: how many requests are made at one time; others wait.
    ///   - jitter: a number of the range, another one each time, so that those who wait for the same come apart.
    ///   - leastAttempt: how long each attempt may take however short the patience is; for tests, which play a service
    ///     on a machine that is busy with others.
    package init(
        _ configuration: OutboundConfiguration,
        transfers: Transfers,
        clock: any Clock<Duration> = ContinuousClock(),
        concurrency: Int = 64,
        jitter: @escaping @Sendable (ClosedRange<Double>) -> Double = { $0.upperBound },
        leastAttempt: Duration = .zero
    ) {
        self.transfers = transfers
        authorities = configuration.authorities
        proxies = configuration.proxies
        self.clock = clock
        self.jitter = jitter
        slots = MemoryBudget(bytes: concurrency)
        self.leastAttempt = leastAttempt
    }

    /// The same without proxies, for services of this machine and of the local link, such as the metadata of clouds.
    package var direct: ServiceClient {
        var client = self
        client.proxies = ProxyRules()
        return client
    }

    /// Sends requests until one is answered by something that does not pass by itself.
    ///
    /// - Parameters:
    ///   - service: its name in errors, such as `the object store s3://states`.
    ///   - makeRequest: makes the request of each attempt, since a signature holds its time.
    /// - Returns: the last answer, whatever its status; also one that passes, once the patience has ended.
    /// - Throws: `ServiceError` with `.unavailable` when there is no answer, what `makeRequest` throws, and
    ///   `CancellationError`.
    package func send(
        to service: String,
        _ patience: Patience,
        _ makeRequest: () async throws -> TransferRequest
    ) async throws -> TransferResponse {
        let start = ContinuousClock.now
        let slot = try await slots.share(of: 1, within: patience.total)
        defer { withExtendedLifetime(slot) {} }
        var attempt = 0
        while true {
            var request = try await makeRequest()
            var left: Duration { patience.total - start.duration(to: .now) }
            request.limits = patience.limits
            request.limits.total = max(patience.limits.total, leastAttempt)
            request.limits.stall = max(min(patience.limits.stall, max(left, .seconds(1))), leastAttempt)
            request.trust.authorities = authorities
            request.trust.keepsConnection = true
            request.proxy = proxies.proxy(for: request.url)
            let pause: Duration
            do {
                let response = try await transfers.perform(request)
                guard Self.passes(response.status), let wait = wait(attempt, response, left) else { return response }
                pause = wait
            } catch {
                try Task.checkCancellation()
                guard Self.passes(error.reason), let wait = wait(attempt, nil, left) else {
                    throw ServiceError.unavailable("\(service) cannot be reached: \(error)", cause: error)
                }
                pause = wait
            }
            attempt += 1
            try await clock.sleep(for: pause)
        }
    }

    /// The pause before the next attempt; nil when the patience does not reach so far.
    private func wait(_ attempt: Int, _ response: TransferResponse?, _ left: Duration) -> Duration? {
        let asked = response?[header: "Retry-After"].flatMap { Int($0) } ?? 0
        let backOff = min(2.0, 0.05 * Double(1 << min(attempt, 10)))
        let pause = max(Duration.seconds(asked), Duration.seconds(backOff * jitter(0.5...1)))
        return pause < left ? pause : nil
    }

    private static func passes(_ status: Int) -> Bool {
        status == 408 || status == 429 || status == 500 || (502...504).contains(status)
    }

    private static func passes(_ reason: TransferError.Reason) -> Bool {
        reason == .failed || reason == .timedOut
    }
}
