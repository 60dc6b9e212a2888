import Crypto
package import Kernel
import Testing

/// What every `ObjectStore` must do: one function, called with an instance by the tests of each implementation.
///
/// The store must be empty. Nothing here depends on how a store works inside; what only one of them can do is tested
/// beside it.
package struct ObjectStoreConformance {
    private enum Thing {}
    private let store: any ObjectStore
    private let folder = ObjectFolder("conformance")

    package init(_ store: any ObjectStore) {
        self.store = store
    }

    /// Runs every check, and leaves the store empty.
    package func run() async throws {
        try await givesBackWhatWasPut()
        try await knowsWhatIsMissing()
        try await givesParts()
        try await neverChangesAnObject()
        try await refusesWrongContent()
        try await storesManyTogether()
        try await streamsLargeObjects()
        try await listsEveryObjectOnce()
        try await standsManyWriters()
        try await endsWhenCancelled()
        try await deletes()
    }

    private func givesBackWhatWasPut() async throws {
        for count in [0, 1, 4095, 4096, 262_144, 262_145, 3_000_000] {
            let bytes = Random.bytes(count)
            let key = content(bytes)

            try await store.put(bytes, as: key)

            #expect(try await store.get(key) == bytes, "\(count) bytes")
            #expect(try await store.size(of: key) == count)
            #expect(try await collect(store.stream(key)) == bytes)
        }
    }

    private func knowsWhatIsMissing() async throws {
        let store = store
        for key in [content(Random.bytes(8)), object(1)] {
            #expect(try await store.size(of: key) == nil)
            await expect(.notFound) { _ = try await store.get(key) }
            await expect(.notFound) { _ = try await store.get(key, range: 0..<1) }
            await expect(.notFound) { _ = try await store.stream(key) }
            try await store.delete([key])
        }
    }

    private func givesParts() async throws {
        let bytes = Random.bytes(600_000)
        for key in [content(bytes), object(2)] {
            try await store.put(bytes, as: key)

            for range in [0..<0, 0..<1, 5..<300_000, 262_144..<262_145, 0..<600_000, 599_999..<600_000] {
                #expect(try await store.get(key, range: range) == Array(bytes[range]))
            }
            #expect(try await store.get(key, range: 599_990..<700_000) == Array(bytes[599_990...]))
            #expect(try await store.get(key, range: 600_000..<700_000).isEmpty)
            #expect(try await store.get(key, range: 700_000..<700_001).isEmpty)
        }
    }

    private func neverChangesAnObject() async throws {
        let store = store
        let key = object(3)

        try await store.put([1, 2, 3], as: key)
        try await store.put([1, 2, 3], as: key)
        try await store.put(pieces(of: [1, 2, 3], size: 2), as: key)

        await expect(.conflict) { try await store.put([1, 2, 4], as: key) }
        await expect(.conflict) { try await store.put([1, 2], as: key) }
        await expect(.conflict) { try await store.put(pieces(of: [1, 2, 3, 4], size: 2), as: key) }
        #expect(try await store.get(key) == [1, 2, 3])
        let bytes = Random.bytes(1000)
        for _ in 0..<3 { try await store.put(bytes, as: content(bytes)) }
        #expect(try await store.get(content(bytes)) == bytes)
    }

    private func refusesWrongContent() async throws {
        let store = store
        let key = content([1, 2, 3])

        await expect(.internalError) { try await store.put([1, 2], as: key) }
        await expect(.internalError) { try await store.put(pieces(of: [1, 2, 3, 4], size: 3), as: key) }

        #expect(try await store.size(of: key) == nil)
    }

    private func storesManyTogether() async throws {
        let objects = (0..<100).map { _ in Random.bytes(Int.random(in: 0...2000)) }
            .map { NewObject(key: content($0), bytes: $0) }

        try await store.putAll(objects)
        try await store.putAll(Array(objects.prefix(3)) + Array(objects.prefix(3)))
        try await store.putAll([])

        for object in objects { #expect(try await store.get(object.key) == object.bytes) }
    }

    private func streamsLargeObjects() async throws {
        let bytes = Random.bytes(10_000_001)

        let stored = try await store.putContent(pieces(of: bytes, size: 99_991), in: folder)
        let size = try await store.put(pieces(of: bytes, size: 1_000_000), as: object(4))
        let nothing = try await store.putContent(pieces(of: [], size: 1), in: folder)

        #expect(stored == StoredContent(key: content(bytes), size: bytes.count))
        #expect(size == bytes.count)
        #expect(nothing == StoredContent(key: content([]), size: 0))
        let stream = try await store.stream(stored.key)
        #expect(stream.size == bytes.count)
        #expect(try await collect(stream) == bytes)
        #expect(try await collect(store.stream(object(4))) == bytes)
    }

    private func listsEveryObjectOnce() async throws {
        let inner = folder.folder("listed")
        var expected: [ObjectKey: Int] = [:]
        for index in 0..<25 {
            let key =
                index % 2 == 0
                ? content([UInt8](repeating: 9, count: index), in: inner) : object(100 + index, in: inner)
            try await store.put([UInt8](repeating: 9, count: index), as: key)
            expected[key] = index
        }

        for limit in [1, 7, 25, 26, 1000] {
            let listed = try await list(in: inner, limit: limit)
            #expect(Dictionary(listed.map { ($0.key, $0.size) }) { _, _ in -1 } == expected, "pages of \(limit)")
        }
        let all = Set(try await list(in: nil, limit: 10).map(\.key))
        #expect(all.isSuperset(of: expected.keys))
        #expect(all.count > expected.count)
        #expect(Set(try await list(in: folder, limit: 10).map(\.key)) == all)
        #expect(try await list(in: ObjectFolder("conform"), limit: 10).isEmpty)
        let store = store
        await expect(.invalidArgument) { _ = try await store.list(in: nil, after: "no cursor", limit: 1) }
    }

    private func standsManyWriters() async throws {
        let shared = Random.bytes(50_000)
        let key = content(shared)
        let store = store

        try await withThrowingTaskGroup { group in
            for number in 0..<16 {
                group.addTask {
                    try await store.put(shared, as: key)
                    guard try await store.get(key) == shared else { throw ServiceError(.damaged, "other bytes") }
                    try await store.put([UInt8(number)], as: object(5), orConflictIsFine: true)
                }
            }
            try await group.waitForAll()
        }

        #expect(try await store.get(object(5)).count == 1)
    }

    private func endsWhenCancelled() async throws {
        let store = store
        let before = try await list(in: nil, limit: 1000).count

        let result = await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    let body = AsyncStream<[UInt8]> { continuation in continuation.yield(Random.bytes(100_000)) }
                    try await store.put(body, as: object(6))
                    return Task.isCancelled
                } catch {
                    return true
                }
            }
            group.cancelAll()
            return await group.next() ?? false
        }

        #expect(result)
        let after = try await list(in: nil, limit: 1000)
        #expect(after.count - before <= 1, "an ended body may be stored; nothing else may appear")
        try await store.delete([object(6)])
    }

    private func deletes() async throws {
        let keys = try await list(in: nil, limit: 1000).map(\.key)
        #expect(keys.count > 100)

        try await store.delete(keys)
        try await store.delete(keys)
        try await store.delete([])

        #expect(try await list(in: nil, limit: 1000).isEmpty)
        #expect(try await store.size(of: keys[0]) == nil)
        try await store.put([], as: object(7))
        #expect(try await store.get(object(7)).isEmpty)
        try await store.delete([object(7)])
    }

    // MARK: - Pieces

    private func content(_ bytes: [UInt8], in other: ObjectFolder? = nil) -> ObjectKey {
        (other ?? folder).content(SHA256.hash(bytes))
    }

    private func object(_ number: Int, in other: ObjectFolder? = nil) -> ObjectKey {
        let random = [UInt8](repeating: UInt8(number), count: 10)
        return (other ?? folder).object(ID<Thing>(at: Timestamp(seconds: 1), random: random))
    }

    private func pieces(of bytes: [UInt8], size: Int) -> AsyncStream<[UInt8]> {
        AsyncStream { continuation in
            for start in stride(from: 0, to: bytes.count, by: size) {
                continuation.yield(Array(bytes[start..<min(start + size, bytes.count)]))
            }
            continuation.finish()
        }
    }

    private func collect(_ stream: ObjectStream) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await piece in stream { bytes += piece }
        return bytes
    }

    private func list(in folder: ObjectFolder?, limit: Int) async throws -> [ObjectInfo] {
        var listed: [ObjectInfo] = []
        var cursor: String?
        repeat {
            let page = try await store.list(in: folder, after: cursor, limit: limit)
            #expect(page.objects.count <= limit)
            listed += page.objects
            cursor = page.next
        } while cursor != nil
        #expect(Set(listed.map(\.key)).count == listed.count)
        return listed
    }

    private func expect(_ code: ServiceError.Code, _ body: () async throws -> Void) async {
        let error = await #expect(throws: ServiceError.self) { try await body() }
        #expect(error?.code == code)
    }
}

extension ObjectStore {
    /// Several writers of one key: one of them wins.
    fileprivate func put(_ bytes: [UInt8], as key: ObjectKey, orConflictIsFine: Bool) async throws {
        do {
            try await put(bytes, as: key)
        } catch let error as ServiceError where error.code == .conflict && orConflictIsFine {
            return
        }
    }
}
