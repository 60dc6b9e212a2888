package import Jobs
import Kernel
import Telemetry

/// Ends updates whose lease is over, so that what they saved becomes a version even if nobody else wants the stack.
package struct ExpireLeasesJob: Job {
    package static let kind = "stacks.expire-leases"
    package static let retry = RetryPolicy(attempts: .max, base: .seconds(5), cap: .seconds(60))
    package static let interval = Duration.seconds(30)

    private let hold: StackHold

    package init(hold: StackHold) {
        self.hold = hold
    }

    package func run(_ payload: NoPayload, _ context: JobContext) async throws -> JobOutcome {
        let count = try await hold.expireDead()
        if count > 0 { context.log.notice("updates ended whose lease was over", ["count": .integer(count)]) }
        return .again(after: Self.interval)
    }
}
