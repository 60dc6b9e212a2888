import Encryption
import Jobs
import Kernel
import Persistence
import Stacks
import Telemetry

/// The services of the storage core in one process, put together as `StackServices` does it, over simulated stores.
struct Services: Sendable {
    /// Small enough for most states here to become objects.
    static let rowLimit = 700

    let database: Database
    let stacks: StackService
    let updates: UpdateService
    let beginning: UpdateBeginning
    let journal: JournalService
    let checkpoints: CheckpointService
    let events: EngineEventService
    let imports: StateImport
    let reader: StateReader
    let renames: StackRenameService
    let deleted: DeletedStackService
    let secrets: SecretService
    let hold: StackHold
    let housekeeping: HousekeepingJob

    init(_ world: World, _ process: Process, now: @escaping @Sendable () -> Timestamp) {
        let scheduler = world.scheduler
        let effects = Effects(now: now) { scheduler.numbers.bytes($0) }
        database = Database(driver: SimulatedDriver(world, process)) { attempt in
            try process.checkAlive()
            await scheduler.sleep(scheduler.numbers.within(5_000...15_000) * attempt)
        }
        let objects = SimulatedObjects(world, process)
        let compute = BlockingPool { await scheduler.turn() }
        let state = StateServices(
            database: database,
            effects: effects,
            objects: objects,
            compute: compute,
            rowLimit: Self.rowLimit
        )
        let ending = UpdateEnding(database: database, effects: effects, state: state)
        hold = StackHold(database: database, effects: effects, ending: ending)
        stacks = StackService(
            database: database,
            effects: effects,
            writer: state.writer,
            reader: state.reader,
            hold: hold
        )
        updates = UpdateService(database: database, effects: effects, ending: ending)
        beginning = UpdateBeginning(updates: updates, stacks: stacks, reader: state.reader)
        journal = JournalService(database: database, effects: effects, objects: state.objects, compute: compute)
        checkpoints = CheckpointService(database: database, effects: effects, state: state, compute: compute)
        events = EngineEventService(database: database, effects: effects, objects: state.events, compute: compute)
        imports = StateImport(effects: effects, writer: state.writer, hold: hold)
        reader = state.reader
        let states = MovedStates(reader: state.reader, writer: state.writer, compute: compute)
        renames = StackRenameService(effects: effects, reader: state.reader, states: states, hold: hold)
        deleted = DeletedStackService(database: database, effects: effects, reader: state.reader, states: states)
        secrets = SecretService(
            database: database,
            effects: effects,
            keys: DataKeys(provider: SimulatedKeys(world, process), effects: effects),
            compute: compute
        )
        housekeeping = HousekeepingJob(database: database, objects: objects, effects: effects) {
            .microseconds(scheduler.now)
        }
    }

    /// The stack of whoever holds the lease, as the program asks before every request with its token.
    func stack(of lease: Lease) async throws -> StackID {
        try await database.read { tx in
            try UpdateLeases().holder(token: lease.token, update: lease.update, of: lease.ref, in: tx).stack.id
        }
    }

    // MARK: - What goes on by itself

    func expireLeases(while process: Process, in world: World) async {
        while process.isAlive, !world.isOver {
            let seconds = world.isQuiet ? 200...400 : 20...40
            await world.scheduler.sleep(world.scheduler.numbers.within(seconds) * 1_000_000)
            _ = try? await Request.$current.withValue(Request(.expiry)) { try await hold.expireDead() }
        }
    }

    func keepHouse(while process: Process, in world: World) async {
        while process.isAlive, !world.isOver {
            let isBusy = world.cleansOften && !world.isQuiet && !world.isEnding
            let pause =
                isBusy ? 200_000...5_000_000 : world.isQuiet ? 500_000_000...1_500_000_000 : 60_000_000...900_000_000
            await world.scheduler.sleep(world.scheduler.numbers.within(pause))
            _ = try? await Request.$current.withValue(Request(.housekeeping)) { try await cleanUp() }
        }
    }
}

extension Services {
    /// One round of housekeeping, as the runner of jobs would begin it.
    func cleanUp() async throws {
        let context = JobContext(id: JobID(at: Timestamp(seconds: 0), random: (0, 0)), attempt: 1, log: .silent)
        _ = try await housekeeping.run(NoPayload(), context)
    }
}

/// What the holder of an update has.
struct Lease: Sendable {
    var update: UpdateID
    var token: String
    var ref: StackRef
}
