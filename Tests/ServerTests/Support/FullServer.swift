import APITestKit
import Crypto
import Encryption
import HTTPAPI
import Identity
import Kernel
import ObjectStorage
import OutboundHTTP
import Persistence
import Server
import Stacks
import TestKit
import Transfers

/// A store of objects in a folder.
func objectStore(in folder: String) throws -> any ObjectStore {
    try FolderObjectStore(path: folder, setting: "CAIRN_DATA", pool: Pools.files)
}

/// What the program stands on.
func foundation(
    _ database: Database,
    effects: Effects,
    objects: any ObjectStore,
    outbound rules: OutboundRules = OutboundRules()
) -> Application.Foundation {
    Application.Foundation(
        database: database,
        objects: objects,
        keys: DataKeys(provider: LocalKeyProvider(current: Random.key()), effects: effects),
        effects: effects,
        clock: ContinuousClock(),
        compute: Pools.compute,
        outbound: OutboundClient(rules: rules, transfers: Pools.transfers)
    )
}

/// Runs `body` with a server that has every route, as the program wires it.
func withFullServer(
    _ engine: Engine,
    outbound rules: OutboundRules = OutboundRules(),
    _ body: (TestServer) async throws -> Void
) async throws {
    try await TestFolder.with { folder in
        let objects = try objectStore(in: folder)
        try await withTestServer(
            engine,
            table: { database, effects in
                let foundation = foundation(database, effects: effects, objects: objects, outbound: rules)
                return Application.routes(foundation, readiness: Readiness(checks: [], clock: ContinuousClock()))
            },
            body
        )
    }
}

/// Threads that all tests share.
private enum Pools {
    static let files = FolderObjectStore.makePool()
    static let transfers = Transfers()
    static let compute = BlockingPool(name: "compute", threads: 2, heavyThreads: 2, queue: 256)
}
