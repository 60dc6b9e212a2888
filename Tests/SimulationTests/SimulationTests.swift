import Foundation
import Kernel
import Testing

/// How many seeds a run of the tests takes, and which.
enum Seeds {
    private static let environment = ProcessInfo.processInfo.environment

    /// One seed to replay; nil for all.
    static let replayed = environment["CAIRN_SIMULATION_SEED"].flatMap { UInt64($0) }
    /// The first of them, so that a long run can be made in parts, and another one take other seeds.
    static let first = environment["CAIRN_SIMULATION_FIRST"].flatMap { UInt64($0) } ?? 1
    static let count =
        environment["CAIRN_SIMULATION_SEEDS"].flatMap { Int($0) } ?? (environment["CAIRN_LONG"] == nil ? 2_000 : 50_000)
}

@Suite("The storage core under a seeded scheduler")
struct SimulationTests {
    @Test("keeps every promise whatever fails")
    func holds() async throws {
        if let seed = Seeds.replayed {
            let outcome = try Simulation.run(seed: seed, on: MigratedDatabase().engine, keepsTrace: true)
            Issue.record("\(outcome.violation ?? "seed \(seed): nothing is violated")")
            return
        }
        let campaign = try await Campaign.run(seeds: Seeds.first...(Seeds.first + UInt64(Seeds.count) - 1))
        FileHandle.standardError.write(Data((campaign.summary + "\n").utf8))

        try #require(campaign.violations.isEmpty, "\(campaign.violations.joined(separator: "\n"))")
        #expect(campaign.fewestOperations >= World.fewestOperations)
        #expect(campaign.fewestFaults >= 5)
        guard Seeds.count >= 1_000 else { return }
        for (fault, count) in zip(FaultPlan.Fault.allCases, campaign.faults) {
            #expect(count > 0, "\(fault) never happened")
        }
        for happening in Oracle.Happening.allCases {
            #expect(campaign.happenings[happening] ?? 0 > 0, "\(happening) never happened")
        }
    }

    @Test("runs a seed the same way every time, event by event", arguments: [1, 2, 3, 4] as [UInt64])
    func replays(_ seed: UInt64) throws {
        let first = try Simulation.run(seed: seed, on: MigratedDatabase().engine, keepsTrace: false)
        let used = try MigratedDatabase().engine
        _ = try Simulation.run(seed: seed + 100, on: used, keepsTrace: false)

        let second = try Simulation.run(seed: seed, on: used, keepsTrace: true)
        let other = try Simulation.run(seed: seed + 1, on: used, keepsTrace: false)

        #expect(first.hash == second.hash)
        #expect(first.events == second.events)
        #expect(first.hash != other.hash)
    }

    @Test("keeps every promise when one thing fails again and again", arguments: FaultPlan.Fault.allCases)
    func survives(_ fault: FaultPlan.Fault) throws {
        let engine = try MigratedDatabase().engine

        for seed in 1...8 as ClosedRange<UInt64> {
            let outcome = try Simulation.run(seed: seed, on: engine, only: [fault])
            #expect(outcome.violation == nil, "only \(fault)")
        }
    }
}
