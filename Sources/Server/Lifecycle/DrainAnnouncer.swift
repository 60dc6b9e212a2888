import Kernel

/// Fails the readiness probes first when the process stops, and gives load balancers a moment to notice.
///
/// The last service of the group, so that it drains before the HTTP server does.
package struct DrainAnnouncer: Service {
    package let name = "readiness"

    private let readiness: Readiness
    private let clock: any Clock<Duration>
    private let notice: Duration

    package init(readiness: Readiness, clock: any Clock<Duration>, notice: Duration = .zero) {
        self.readiness = readiness
        self.clock = clock
        self.notice = notice
    }

    package func run() async throws {
        while !Task.isCancelled { try await clock.sleep(for: .seconds(3600)) }
    }

    package func drain() async {
        readiness.beginDraining()
        if notice > .zero { try? await clock.sleep(for: notice) }
    }
}
