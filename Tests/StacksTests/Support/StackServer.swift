import APITestKit
import Crypto
import Encryption
import Glibc
import HTTPAPI
import Identity
import Kernel
import ObjectStorage
import Persistence
import Stacks
import TestKit
import Testing

/// Runs `body` with a server that has every route of this module over a real folder of objects and a key of its own.
func withStackServer(
    _ engine: Engine,
    failing plan: WritePlan? = nil,
    _ body: (TestServer) async throws -> Void
) async throws {
    try await TestFolder.with { folder in
        let objects = try FolderObjectStore(path: folder, setting: "CAIRN_DATA", pool: Pools.files)
        try await withStackServer(engine, objects: objects, failing: plan, body)
    }
}

/// The same over objects that the test has made.
func withStackServer(
    _ engine: Engine,
    objects: FolderObjectStore,
    failing plan: WritePlan? = nil,
    _ body: (TestServer) async throws -> Void
) async throws {
    try await withTestServer(
        engine,
        leases: leases,
        routes: { database, effects in
            StackServices(
                database: plan.map { Database(driver: FailingDatabase(base: database, failure: $0.next)) } ?? database,
                effects: effects,
                objects: objects,
                keys: DataKeys(provider: LocalKeyProvider(current: Random.key()), effects: effects),
                compute: Pools.compute
            ).routes
        },
        body
    )
}

/// Whether the long variants run (`CAIRN_LONG=1`).
let isLong = getenv("CAIRN_LONG") != nil

/// Threads that all tests share: a test needs none of its own.
enum Pools {
    static let files = FolderObjectStore.makePool()
    /// Without threads of low priority for heavy work, which on a busy machine would wait until it is refused.
    static let compute = BlockingPool(name: "compute", threads: 4, queue: 1024)
}

/// Lets `Identity` ask who holds the lease of an update, as the program does.
private let leases = TestLeases { token, update, stack, tx in
    let (update, stack) = try UpdateLeases().holder(token: token, update: update, of: stack, in: tx)
    return LeaseHolder(
        user: update.requestedBy,
        login: update.requestedLogin,
        organization: stack.organization,
        stack: stack.id
    )
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
