import Kernel
import PersistenceSQLite
import Stacks

/// What became of one run.
struct Outcome: Sendable {
    var seed: UInt64
    var hash: UInt64
    var operations: Int
    var faults: Int
    var faultCounts: [Int]
    var commits: Int
    var happenings: [Oracle.Happening: Int]
    var events: Int
    /// What was violated, with what led to it where the trace was kept.
    var violation: String?
}

/// Runs the storage core from one seed.
enum Simulation {
    private static let stepLimit = 100_000

    /// Runs a seed, and once more with its trace when it ends in a violation.
    static func run(
        seed: UInt64,
        on engine: SQLiteInMemory,
        mutation: Mutation? = nil,
        only faults: Set<FaultPlan.Fault> = []
    ) throws -> Outcome {
        let outcome = try run(seed: seed, on: engine, mutation: mutation, only: faults, keepsTrace: false)
        guard outcome.violation != nil, mutation == nil else { return outcome }
        return try run(seed: seed, on: engine, mutation: mutation, only: faults, keepsTrace: true)
    }

    static func run(
        seed: UInt64,
        on engine: SQLiteInMemory,
        mutation: Mutation? = nil,
        only faults: Set<FaultPlan.Fault> = [],
        keepsTrace: Bool
    ) throws -> Outcome {
        let world = try World(seed: seed, on: engine, mutation: mutation, only: faults, keepsTrace: keepsTrace)
        defer { world.end() }
        let home = Lane("clients", number: 0, world.scheduler)
        for machine in world.machines { machine.boot() }
        world.scheduler.start(on: home) { await direct(world, home) }
        let end = world.scheduler.run(atMost: stepLimit) {
            world.oracle.violation != nil || world.scheduler.liveTasks == 0
        }
        switch end {
        case .done: break
        case .stuck: world.oracle.fail("something waits for ever")
        case .tooLong: world.oracle.fail("the run does not end")
        }
        return outcome(of: world)
    }

    private static func outcome(of world: World) -> Outcome {
        var outcome = Outcome(
            seed: world.seed,
            hash: world.trace.hash,
            operations: world.operations,
            faults: world.faults.total,
            faultCounts: world.faults.counts,
            commits: world.oracle.commits,
            happenings: world.oracle.happenings,
            events: world.trace.count
        )
        if let violation = world.oracle.violation {
            let trace = world.trace.suffix(for: violation.slot).map { "  \($0)\n" }.joined()
            outcome.violation = """
                seed \(world.seed): \(violation.text)
                replay: CAIRN_SIMULATION_SEED=\(world.seed)
                \(trace)
                """
        }
        return outcome
    }

    // MARK: - The course of a run

    private static func direct(_ world: World, _ home: Lane) async {
        let scheduler = world.scheduler
        let count = scheduler.numbers.within(2...4)
        for number in 1...count {
            let client = Client(world, number: number)
            scheduler.start(on: home) {
                if number == 1 { for slot in 0..<World.slots { await client.create(slot) } }
                await client.run()
            }
        }
        let disaster = Disaster(world)
        while !world.hasEnough {
            await scheduler.sleep(scheduler.numbers.within(1_000_000...60_000_000))
            await disaster.strike()
        }
        world.isEnding = true
        await heal(world)
        world.isOver = true
    }

    /// Lets everything end, with nothing going wrong any more, and looks at what is left.
    private static func heal(_ world: World) async {
        world.isQuiet = true
        world.faults.isHealed = true
        for machine in world.machines {
            machine.skew = 0
            machine.frozenTime = nil
            machine.lane.proceed()
            if !machine.process.isAlive { machine.boot() }
        }
        // Longer than everything that waits, and than the longest lease by a clock that was wrong.
        await world.scheduler.sleep(1_200_000_000)
        world.shift += 21 * 24 * 3_600_000_000
        let machine = world.scheduler.numbers.pick(world.machines)
        machine.crash()
        machine.boot()
        let services = machine.services
        do {
            _ = try await Request.$current.withValue(Request(.expiry)) { try await services.hold.expireDead() }
        } catch {
            world.oracle.fail("dead updates cannot be ended: \(error)")
        }
        await Request.$current.withValue(Request(.housekeeping)) { await FinalCheck(world, services).run() }
    }
}

/// Things that happen to machines.
struct Disaster {
    private let world: World
    private let scheduler: Scheduler
    private let faults: FaultPlan

    init(_ world: World) {
        self.world = world
        scheduler = world.scheduler
        faults = world.faults
    }

    func strike() async {
        let machine = scheduler.numbers.pick(world.machines)
        switch scheduler.numbers.within(0...9) {
        case 0, 1: if faults.isMeant(.crash) { await crash(machine) }
        case 2: if faults.isMeant(.stopped) { await stop(machine) }
        case 3: if faults.isMeant(.clockStep) { step(machine) }
        case 4: if faults.isMeant(.clockFrozen) { freeze(machine) }
        case 5:
            guard faults.isMeant(.databaseDown) else { break }
            faults.note(.databaseDown)
            faults.databaseDownUntil = scheduler.now + Int64(scheduler.numbers.within(10_000...30_000_000))
        case 6:
            guard faults.isMeant(.objectsDown) else { break }
            faults.note(.objectsDown)
            faults.objectsDownUntil = scheduler.now + Int64(scheduler.numbers.within(10_000...30_000_000))
        case 7: await rest()
        default: break
        }
    }

    private func crash(_ machine: Machine) async {
        guard machine.process.isAlive else { return }
        faults.note(.crash)
        machine.crash()
        await scheduler.sleep(scheduler.numbers.within(1_000...10_000_000))
        machine.boot()
    }

    /// Long enough, now and then, for leases to end meanwhile.
    private func stop(_ machine: Machine) async {
        faults.note(.stopped)
        machine.lane.stop()
        await scheduler.sleep(
            scheduler.numbers.within(1_000...(scheduler.numbers.chance(500) ? 600_000_000 : 5_000_000))
        )
        machine.lane.proceed()
    }

    private func step(_ machine: Machine) {
        faults.note(.clockStep)
        let seconds = scheduler.numbers.within(-300...300)
        let hours = scheduler.numbers.within(-3...3)
        let days = scheduler.numbers.chance(250) ? scheduler.numbers.within(-10...20) : 0
        machine.skew = Int64((days * 24 + hours) * 3600 + seconds) * 1_000_000
    }

    private func freeze(_ machine: Machine) {
        faults.note(.clockFrozen)
        machine.frozenTime = machine.frozenTime == nil ? machine.time : nil
    }

    /// A day goes by while nobody does anything: what lies about gets old.
    private func rest() async {
        world.isQuiet = true
        await scheduler.sleep(100_000_000)
        world.shift += 26 * 3600 * 1_000_000
        await scheduler.sleep(4_500_000_000)
        world.isQuiet = false
    }
}
