package import Kernel
package import Telemetry

/// Runs services until one ends, one fails, or a stop is asked for, and then stops them in the reverse order.
///
/// Every service gets so long to finish what it has begun; then its task is cancelled. A second request to stop ends
/// all waiting at once.
package struct ServiceGroup: Sendable {
    private let services: [any Service]
    private let grace: Duration
    private let clock: any Clock<Duration>
    private let log: Logger

    /// - Parameters:
    ///   - services: in the order in which they depend on each other, the first one first.
    ///   - grace: how long a service may take to drain.
    package init(services: [any Service], grace: Duration, clock: any Clock<Duration>, log: Logger) {
        self.services = services
        self.grace = grace
        self.clock = clock
        self.log = log
    }

    /// Runs all services.
    ///
    /// - Parameter stop: asked for by signals.
    /// - Throws: the error of the first service that failed, after all were stopped.
    package func run(until stop: StopSignal) async throws {
        let failure = FirstError()
        await withTaskGroup(of: Void.self) { group in
            for service in services {
                group.addTask {
                    do {
                        try await service.run()
                        stop.requestFirst("\(service.name) ended")
                    } catch is CancellationError {
                        stop.requestFirst("\(service.name) was cancelled")
                    } catch {
                        log.error("service failed", ["service": .text(service.name), "error": .error(error)])
                        failure.keep(error)
                        stop.requestFirst("\(service.name) failed")
                    }
                }
            }
            await stop.first()
            await drainAll(hurriedBy: stop)
            group.cancelAll()
        }
        if let error = failure.error { throw error }
    }

    private func drainAll(hurriedBy stop: StopSignal) async {
        for service in services.reversed() {
            let finished = await withTaskGroup(of: Bool.self) { group in
                group.addTask {
                    await service.drain()
                    return true
                }
                group.addTask {
                    try? await clock.sleep(for: grace)
                    return false
                }
                group.addTask {
                    await stop.second()
                    return false
                }
                defer { group.cancelAll() }
                return await group.next() ?? false
            }
            if !finished { log.warning("service stopped before it had finished", ["service": .text(service.name)]) }
        }
    }
}

/// The first of several errors, from any task.
private final class FirstError: Sendable {
    private let first = Locked<(any Error)?>(nil)

    var error: (any Error)? {
        first.withLock { $0 }
    }

    func keep(_ error: any Error) {
        first.withLock { $0 = $0 ?? error }
    }
}
