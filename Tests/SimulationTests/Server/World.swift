import Kernel
import Persistence
import PersistenceSQLite
import Stacks

/// Everything that one run consists of.
///
/// SAFETY: `@unchecked` because it changes; only the thread that runs the seed uses it.
final class World: @unchecked Sendable {
    static let slots = 3
    static let fewestOperations = 200

    let seed: UInt64
    private let fewestFaults: Int
    let mutation: Mutation?
    let trace: Trace
    let scheduler: Scheduler
    let faults: FaultPlan
    let database: SimulatedDatabase
    let bucket = Bucket()
    let oracle: Oracle
    private(set) var machines: [Machine] = []
    /// Whether housekeeping comes round all the time.
    let cleansOften: Bool
    /// By how much all clocks have moved while nobody did anything.
    var shift: Int64 = 0
    /// Nobody begins anything new: time may pass.
    var isQuiet = false
    /// Clients are to stop.
    var isEnding = false
    /// Everything is to stop.
    var isOver = false
    /// Attempts of clients so far.
    var operations = 0
    private var operationNumber = 0
    /// What clients know of each stack: its name, and the last update that was started.
    var names: [StackRef]
    var lastUpdates: [(update: UpdateID, ref: StackRef)?]
    /// Numbers that mark what resources hold.
    private var marks = 0

    init(
        seed: UInt64,
        on engine: SQLiteInMemory,
        mutation: Mutation?,
        only faultsMeant: Set<FaultPlan.Fault>,
        keepsTrace: Bool
    ) throws {
        self.seed = seed
        self.mutation = mutation
        trace = Trace(keepsLines: keepsTrace)
        scheduler = Scheduler(seed: seed, trace: trace)
        faults = FaultPlan(scheduler, only: faultsMeant)
        fewestFaults = faultsMeant.isEmpty ? 5 : 0
        cleansOften = scheduler.numbers.chance(150)
        database = SimulatedDatabase(engine, mutation: mutation)
        oracle = Oracle(database: database, bucket: bucket, faults: faults, trace: trace)
        names = (0..<Self.slots).map { Installation.ref("s\($0)") }
        lastUpdates = Array(repeating: nil, count: Self.slots)
        try engine.deleteAllRows()
        try Installation.insert(into: database)
        oracle.time = { [unowned self] in time }
        database.observe = { [unowned self] request, changes in oracle.committed(request, changes) }
        bucket.observeDelete = { [unowned self] keys, request in oracle.deleting(keys, request) }
        let count = scheduler.numbers.chance(200) ? 1 : scheduler.numbers.within(2...3)
        machines = (1...count).map { Machine(number: $0, self) }
    }

    /// Lets go of what holds the world itself: processes and what is still to happen in them.
    func end() {
        machines = []
        scheduler.end()
    }

    /// The true time.
    var time: Timestamp {
        Timestamp(microseconds: 1_893_456_000_000_000 + scheduler.now + shift)
    }

    /// Whether the run was long enough.
    var hasEnough: Bool {
        operations >= Self.fewestOperations && faults.total >= fewestFaults
    }

    func newMark() -> Int {
        marks += 1
        return marks
    }

    func newOperation() -> Int {
        operationNumber += 1
        return operationNumber
    }
}

/// The rows that are there before anybody does anything.
enum Installation {
    static let organization = ID<Entity.Organization>(at: Timestamp(seconds: 1_893_000_000), random: (1, 1))
    static let user = ID<Entity.User>(at: Timestamp(seconds: 1_893_000_000), random: (2, 2))
    static let actor = Actor(kind: .user, userID: user, login: "dev")

    static func ref(_ name: String) -> StackRef {
        StackRef(
            organization: OrganizationName(unchecked: "acme"),
            project: ProjectName(unchecked: "site"),
            name: StackName(unchecked: name)
        )
    }

    static func insert(into database: SimulatedDatabase) throws {
        try database.write(for: nil) { tx in
            let now = Timestamp(seconds: 1_893_000_000)
            try tx.insert(
                into: "users",
                [
                    "id": user, "login": "dev", "name": "", "email": "", "avatar_url": "", "is_site_admin": false,
                    "created_at": now,
                ]
            )
            try tx.insert(
                into: "organizations",
                [
                    "id": organization, "name": "acme", "name_key": "acme", "display_name": "acme",
                    "kind": "organization", "default_stack_permission": 102, "created_at": now,
                ]
            )
            try tx.insert(
                into: "memberships",
                ["organization_id": organization, "user_id": user, "role": "admin", "created_at": now]
            )
        }
    }
}
