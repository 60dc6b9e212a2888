import APITestKit
import Crypto
import Encryption
import HTTPAPI
import Identity
import Kernel
import ObjectStorage
import Persistence
import Stacks
import TestKit
import Testing

/// Runs `body` with a server that has every route of this module over a real folder of objects and a key of its own.
func withStackServer(_ engine: Engine, _ body: (TestServer) async throws -> Void) async throws {
    try await TestFolder.with { folder in
        let objects = try FolderObjectStore(path: folder, setting: "CAIRN_DATA", pool: Pools.files)
        try await withTestServer(
            engine,
            leases: StackParts.leases,
            routes: { database, effects in
                StackParts(database: database, effects: effects, objects: objects).routes
            },
            body
        )
    }
}

/// Threads that all tests share: a test needs none of its own.
enum Pools {
    static let files = FolderObjectStore.makePool()
    static let compute = BlockingPool(name: "compute", threads: 2, queue: 1024)
}

/// The services of this module as the program wires them.
struct StackParts {
    let routes: [any RouteGroup]
    let hold: StackHold

    init(database: Database, effects: Effects, objects: any ObjectStore) {
        let compute = Pools.compute
        let keys = DataKeys(provider: LocalKeyProvider(current: Random.key()), effects: effects)
        let texts = StateTexts(objects: objects, effects: effects, compute: compute)
        let reader = StateReader(database: database, texts: texts, compute: compute)
        let ending = UpdateEnding(database: database, effects: effects, reader: reader, texts: texts)
        hold = StackHold(database: database, effects: effects, ending: ending)
        let stacks = StackService(database: database, effects: effects, texts: texts, reader: reader, hold: hold)
        let states = MovedStates(reader: reader, texts: texts, compute: compute)
        let renames = StackRenameService(effects: effects, reader: reader, states: states, hold: hold)
        let updates = UpdateService(database: database, effects: effects, ending: ending)
        let checkpoints = CheckpointService(database: database, effects: effects, texts: texts, compute: compute)
        let journal = JournalService(database: database, effects: effects, texts: texts, compute: compute)
        let events = EngineEventService(database: database, effects: effects, texts: texts, compute: compute)
        let imports = StateImport(effects: effects, texts: texts, compute: compute, hold: hold)
        let secrets = SecretService(database: database, effects: effects, keys: keys, compute: compute)
        routes = [
            StackRoutes(stacks: stacks, renames: renames),
            StackTagRoutes(tags: StackTagService(database: database, effects: effects)),
            UpdateRoutes(updates: updates),
            BeginUpdateRoutes(updates: updates, stacks: stacks, reader: reader),
            SaveRoutes(checkpoints: checkpoints, journal: journal),
            EngineEventRoutes(events: events),
            StateRoutes(reader: reader, imports: imports, outputs: StackOutputs(reader: reader, compute: compute)),
            HistoryRoutes(history: HistoryService(database: database)),
            SecretRoutes(secrets: secrets),
        ]
    }

    /// Lets `Identity` ask who holds the lease of an update.
    static let leases = TestLeases { token, update, stack, tx in
        let (update, stack) = try UpdateLeases().holder(token: token, update: update, of: stack, in: tx)
        return LeaseHolder(
            user: update.requestedBy,
            login: update.requestedLogin,
            organization: stack.organization,
            stack: stack.id
        )
    }
}

extension TestServer {
    /// Whether the stack answers to its name.
    func stackExists(
        _ reference: String,
        at location: SourceLocation = #_sourceLocation
    ) async throws -> Bool {
        try await send("GET", "/api/stacks/\(reference)", at: location).status == 200
    }

    /// The tags of a stack, but for the one that follows its project.
    func tags(of reference: String, at location: SourceLocation = #_sourceLocation) async throws -> [String: String] {
        try await send("GET", "/api/stacks/\(reference)", at: location).json["tags"].strings ?? [:]
    }
}
