import Kernel

/// Many seeds, on all cores: each is a run of its own.
struct Campaign: Sendable {
    var runs = 0
    var operations = 0
    var commits = 0
    var events = 0
    var faults = [Int](repeating: 0, count: FaultPlan.Fault.allCases.count)
    var happenings: [Oracle.Happening: Int] = [:]
    var fewestOperations = Int.max
    var fewestFaults = Int.max
    var violations: [String] = []
    /// All traces together, whatever the order in which the seeds ended.
    var hash: UInt64 = 0
    var time = Duration.zero

    /// - Parameter most: after so many violations nobody needs more.
    static func run(
        seeds: ClosedRange<UInt64>,
        mutation: Mutation? = nil,
        most: Int = 3,
        threads: Int = 2
    ) async throws -> Campaign {
        let start = ContinuousClock.now
        let progress = Progress(next: seeds.lowerBound)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<threads {
                group.addTask { try progress.work(to: seeds.upperBound, mutation: mutation, most: most) }
            }
            try await group.waitForAll()
        }
        var campaign = progress.campaign
        campaign.time = start.duration(to: .now)
        return campaign
    }

    /// Which seed comes next, and what became of those before.
    private final class Progress: Sendable {
        private let state: Locked<(next: UInt64, campaign: Campaign)>

        init(next: UInt64) {
            state = Locked((next, Campaign()))
        }

        var campaign: Campaign { state.withLock { $0.campaign } }

        func work(to last: UInt64, mutation: Mutation?, most: Int) throws {
            let engine = try MigratedDatabase().engine
            while let seed = next(upTo: last, most: most) {
                let outcome = try Simulation.run(seed: seed, on: engine, mutation: mutation)
                state.withLock { $0.campaign.take(outcome) }
            }
        }

        private func next(upTo last: UInt64, most: Int) -> UInt64? {
            state.withLock { state in
                guard state.next <= last, state.campaign.violations.count < most else { return nil }
                defer { state.next += 1 }
                return state.next
            }
        }
    }

    private mutating func take(_ outcome: Outcome) {
        runs += 1
        hash ^= outcome.hash
        operations += outcome.operations
        commits += outcome.commits
        events += outcome.events
        fewestOperations = min(fewestOperations, outcome.operations)
        fewestFaults = min(fewestFaults, outcome.faults)
        happenings.merge(outcome.happenings) { $0 + $1 }
        for (index, count) in outcome.faultCounts.enumerated() { faults[index] += count }
        if let violation = outcome.violation { violations.append(violation) }
    }

    var summary: String {
        let list = zip(FaultPlan.Fault.allCases, faults).map { "\($0) \($1)" }.joined(separator: ", ")
        let seen = Oracle.Happening.allCases.map { "\($0) \(happenings[$0] ?? 0)" }.joined(separator: ", ")
        return """
            \(runs) runs in \(time): \(operations) operations, \(commits) commits, \(events) events; at least \
            \(fewestOperations) operations and \(fewestFaults) faults each; faults: \(list); seen: \(seen); trace \(String(hash, radix: 16))
            """
    }
}
