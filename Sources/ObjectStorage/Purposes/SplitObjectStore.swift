package import Kernel

/// An object store of which one folder is kept elsewhere.
///
/// What was stored before the folder got a place of its own stays where it is, and is found there.
package struct SplitObjectStore: ObjectStore {
    private let main: any ObjectStore
    private let part: any ObjectStore
    private let folder: ObjectFolder

    /// - Parameters:
    ///   - folder: what `part` keeps.
    ///   - part: another store than `main`.
    package init(_ main: any ObjectStore, keeping folder: ObjectFolder, in part: any ObjectStore) {
        self.main = main
        self.part = part
        self.folder = folder
    }

    private func store(of key: ObjectKey) -> any ObjectStore {
        folder.contains(key) ? part : main
    }

    private func isParted(_ folder: ObjectFolder) -> Bool {
        folder == self.folder || self.folder.contains(folder)
    }

    // MARK: - Storing

    package func put(_ bytes: [UInt8], as key: ObjectKey) async throws {
        try await store(of: key).put(bytes, as: key)
    }

    package func putAll(_ objects: [NewObject]) async throws {
        let parted = objects.filter { folder.contains($0.key) }
        if !parted.isEmpty { try await part.putAll(parted) }
        if parted.count < objects.count { try await main.putAll(objects.filter { !folder.contains($0.key) }) }
    }

    package func put<Body: AsyncSequence>(_ body: Body, as key: ObjectKey) async throws -> Int
    where Body.Element == [UInt8] {
        try await store(of: key).put(body, as: key)
    }

    package func putContent<Body: AsyncSequence>(_ body: Body, in folder: ObjectFolder) async throws -> StoredContent
    where Body.Element == [UInt8] {
        try await (isParted(folder) ? part : main).putContent(body, in: folder)
    }

    // MARK: - Reading

    package func get(_ key: ObjectKey) async throws -> [UInt8] {
        try await find(key) { try await $0.get(key) }
    }

    package func get(_ key: ObjectKey, range: Range<Int>) async throws -> [UInt8] {
        try await find(key) { try await $0.get(key, range: range) }
    }

    package func stream(_ key: ObjectKey) async throws -> ObjectStream {
        try await find(key) { try await $0.stream(key) }
    }

    package func size(of key: ObjectKey) async throws -> Int? {
        if folder.contains(key), let size = try await part.size(of: key) { return size }
        return try await main.size(of: key)
    }

    private func find<Result>(
        _ key: ObjectKey,
        _ read: (any ObjectStore) async throws -> Result
    ) async throws -> Result {
        guard folder.contains(key) else { return try await read(main) }
        do {
            return try await read(part)
        } catch let error as ServiceError where error.code == .notFound {
            return try await read(main)
        }
    }

    package func signedURL(
        to access: SignedAccess,
        _ key: ObjectKey,
        for life: Duration
    ) async throws -> SignedURL? {
        guard access == .get, folder.contains(key), try await part.size(of: key) == nil else {
            return try await store(of: key).signedURL(to: access, key, for: life)
        }
        return try await main.signedURL(to: access, key, for: life)
    }

    // MARK: - All of them

    package func delete(_ keys: [ObjectKey]) async throws {
        let parted = keys.filter { folder.contains($0) }
        if !parted.isEmpty { try await part.delete(parted) }
        try await main.delete(keys)
    }

    /// The pages of one store and then those of the other; the first letter of a cursor says of which.
    package func list(in folder: ObjectFolder?, after cursor: String?, limit: Int) async throws -> ObjectPage {
        let isInPart = folder.map(isParted) ?? true
        let isFirst = cursor?.first != "m"
        let rest = cursor.map { String($0.dropFirst()) }.flatMap { $0.isEmpty ? nil : $0 }
        if isInPart, isFirst {
            let page = try await part.list(in: folder, after: rest, limit: limit)
            return ObjectPage(objects: page.objects, next: page.next.map { "p\($0)" } ?? "m")
        }
        let page = try await main.list(in: folder, after: rest, limit: limit)
        return ObjectPage(objects: page.objects, next: page.next.map { "m\($0)" })
    }

    package func sweepUnfinished(before time: Timestamp) async throws -> Int {
        try await part.sweepUnfinished(before: time) + main.sweepUnfinished(before: time)
    }
}
