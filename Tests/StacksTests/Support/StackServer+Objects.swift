import APITestKit
import Kernel
import ObjectStorage
import TestKit

/// Like `withStackServer`, with the objects that the server stores.
func withStackServer(_ engine: Engine, _ body: (TestServer, FolderObjectStore) async throws -> Void) async throws {
    try await TestFolder.with { folder in
        let objects = try FolderObjectStore(path: folder, setting: "CAIRN_DATA", pool: Pools.files)
        try await withStackServer(engine, objects: objects) { server in try await body(server, objects) }
    }
}

extension FolderObjectStore {
    /// All objects of states.
    func states() async throws -> [ObjectInfo] {
        try await list(in: ObjectFolder("state"), after: nil, limit: 10_000).objects
    }

    /// All batches of events that are not in rows.
    func events() async throws -> [ObjectInfo] {
        try await list(in: ObjectFolder("events"), after: nil, limit: 10_000).objects
    }
}
