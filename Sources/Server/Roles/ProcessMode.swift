/// What one process of an installation does (`PULUMI_API_CONTAINER_MODE`, `spec/self-hosting.md` §3).
package enum ProcessMode: String, Sendable, CaseIterable {
    /// Answers requests and runs jobs.
    case full = "FULL"
    /// Answers requests.
    case api = "API"
    /// Runs jobs, and answers probes.
    case jobs = "JOBS"

    package var runsJobs: Bool { self != .api }
    package var answersRequests: Bool { self != .jobs }
}
