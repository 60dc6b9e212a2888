import Crypto
import Kernel
import ObjectStorage
import Testing

@Suite("A store of which one folder is elsewhere")
struct SplitObjectStoreTests {
    private let folders: [TemporaryFolder]
    private let main: FolderObjectStore
    private let part: FolderObjectStore
    private static let pool = FolderObjectStore.makePool()

    init() throws {
        folders = [try TemporaryFolder(), try TemporaryFolder()]
        main = try FolderObjectStore(path: folders[0].path, setting: "PULUMI_LOCAL_OBJECTS", pool: Self.pool)
        part = try FolderObjectStore(path: folders[1].path, setting: "PULUMI_LOCAL_OBJECTS", pool: Self.pool)
    }

    @Test("does what every store does, in that folder and in others", arguments: ["conformance", "other"])
    func conformance(folder: String) async throws {
        let folder = folder == "other" ? ObjectFolder("other") : ObjectFolder("conformance")

        try await ObjectStoreConformance(SplitObjectStore(main, keeping: folder, in: part)).run()

        #expect(folders.allSatisfy { $0.files(in: "objects").isEmpty })
    }

    @Test("puts what belongs there into the folder's own place, and nothing else, however it comes")
    func splits() async throws {
        let store = SplitObjectStore(main, keeping: .events, in: part)
        // The name of the last one only begins like that of the folder.
        let folders = [ObjectFolder.state, .events, ObjectFolder.events.folder("more"), ObjectFolder("events2")]

        var keys: [ObjectKey] = []
        for (index, folder) in folders.enumerated() {
            let number = UInt8(index)
            keys.append(folder.content(SHA256.hash([number])))
            try await store.put([number], as: keys[keys.count - 1])
            keys.append(folder.content(SHA256.hash([number, 1])))
            _ = try await store.put(pieces([number, 1]), as: keys[keys.count - 1])
            keys.append(try await store.putContent(pieces([number, 2]), in: folder).key)
        }
        let together = folders.enumerated().map { index, folder in
            let bytes = [UInt8(index), 3]
            return NewObject(key: folder.content(SHA256.hash(bytes)), bytes: bytes)
        }
        try await store.putAll(together)

        let all = Set(keys + together.map(\.key))
        let events = all.filter { ObjectFolder.events.contains($0) }
        #expect(all.count == 16 && events.count == 8)
        #expect(try await names(in: part, nil) == events)
        #expect(try await names(in: main, nil) == all.subtracting(events))
        #expect(try await names(in: store, nil) == all)
        #expect(try await names(in: store, .events) == events)
        #expect(try await names(in: store, .state).count == 4)
        try await store.delete(Array(all))
        #expect(try await names(in: store, nil).isEmpty)
    }

    @Test("finds what was stored before the folder had a place of its own, and deletes it there")
    func findsOlder() async throws {
        let store = SplitObjectStore(main, keeping: .events, in: part)
        let (old, new) = (ObjectFolder.events.content(SHA256.hash([1])), ObjectFolder.events.content(SHA256.hash([2])))
        try await main.put([1], as: old)
        try await store.put([2], as: new)

        #expect(try await store.get(old) == [1])
        #expect(try await store.get(old, range: 0..<1) == [1])
        #expect(try await collect(store.stream(old)) == [1])
        #expect(try await store.size(of: old) == 1)
        #expect(try await names(in: store, .events) == [old, new])
        try await store.delete([old, new])
        #expect(try await names(in: store, nil).isEmpty)
    }

    private func pieces(_ bytes: [UInt8]) -> AsyncStream<[UInt8]> {
        AsyncStream { continuation in
            continuation.yield(bytes)
            continuation.finish()
        }
    }

    private func collect(_ stream: ObjectStream) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await piece in stream { bytes += piece }
        return bytes
    }

    /// By pages of two.
    private func names(in store: some ObjectStore, _ folder: ObjectFolder?) async throws -> Set<ObjectKey> {
        var found: [ObjectKey] = []
        var cursor: String?
        repeat {
            let page = try await store.list(in: folder, after: cursor, limit: 2)
            found += page.objects.map(\.key)
            cursor = page.next
        } while cursor != nil
        #expect(Set(found).count == found.count)
        return Set(found)
    }
}
