package import Kernel
package import Telemetry

/// Work that is done later, at least once, on whichever process has time.
///
/// Kinds are stable words: rows of earlier releases hold them. A change of the payload is a new kind.
package protocol Job: Sendable {
    associatedtype Payload: JobPayload

    static var kind: String { get }
    static var retry: RetryPolicy { get }

    /// Does the work once. Throwing means: try again as `retry` says.
    func run(_ payload: Payload, _ context: JobContext) async throws -> JobOutcome
}

/// What a job is about, as text: ids, never copies of rows.
package protocol JobPayload: Sendable {
    init?(encoded text: String)
    var encoded: String { get }
}

extension ID: JobPayload {
    package init?(encoded text: String) {
        self.init(text)
    }

    package var encoded: String { description }
}

/// For jobs that need no payload: schedules.
package struct NoPayload: JobPayload {
    package init() {}

    package init?(encoded text: String) {
        guard text.isEmpty else { return nil }
    }

    package var encoded: String { "" }
}

package enum JobOutcome: Sendable, Equatable {
    /// The row goes.
    case done
    /// The row stays and is due again after this time, counted as a first attempt: schedules.
    case again(after: Duration)
    /// There is nothing to do any more, for this reason: the row goes and the log says why.
    case abandon(String)
}

package struct JobContext: Sendable {
    package let id: JobID
    /// 1 at the first try.
    package let attempt: Int
    package let log: Logger

    package init(id: JobID, attempt: Int, log: Logger) {
        self.id = id
        self.attempt = attempt
        self.log = log
    }
}

/// How often and how late a failed job is tried again.
package struct RetryPolicy: Sendable, Equatable {
    /// Tries in all.
    package let attempts: Int
    /// The wait after the first failure; it doubles with each further one.
    package let base: Duration
    package let cap: Duration

    package init(attempts: Int, base: Duration, cap: Duration) {
        self.attempts = attempts
        self.base = base
        self.cap = cap
    }

    /// The wait after failure number `attempt`, between half of the full wait and all of it.
    ///
    /// - Parameter jitter: 0 to 1.
    package func delay(after attempt: Int, jitter: Double) -> Duration {
        let doublings = min(max(attempt - 1, 0), 30)
        let full = min(base * (1 << doublings), cap)
        return full / 2 + (full / 2) * jitter
    }
}
