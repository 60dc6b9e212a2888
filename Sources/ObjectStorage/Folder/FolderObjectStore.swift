import Crypto
package import Kernel

/// Objects as files in a folder, which several instances may share over a network.
///
/// An object is written to a temporary file, synced, and renamed to its name; then the folder is synced. Everything that
/// blocks runs on the pool. See `FolderLayout` for where things are.
package struct FolderObjectStore: ObjectStore {
    /// Called before each step of a write; throws to make it fail.
    package typealias StepHook = @Sendable (FolderStep) throws(FileFailure) -> Void

    private let files: FolderFiles
    private let pool: BlockingPool

    /// The longest wait for a turn on the pool.
    private static let patience = Duration.seconds(20)
    /// How many jobs of the pool one `putAll` may take.
    private static let width = 4

    /// The threads `files-n` that stores share.
    package static func makePool() -> BlockingPool {
        BlockingPool(name: "files", threads: 4, queue: 4096)
    }

    /// Opens the folder, makes what is missing in it, and sweeps out what an earlier process left half written.
    ///
    /// Blocks; for the start of the process.
    ///
    /// - Parameters:
    ///   - setting: the variable that names the folder, for the error.
    ///   - hook: for tests.
    /// - Throws: what is wrong with the folder, with its path, the user and the mode.
    package init(
        path: String,
        setting: String,
        pool: BlockingPool,
        hook: @escaping StepHook = { (_) throws(FileFailure) in }
    ) throws(ConfigurationError) {
        self.pool = pool
        do {
            files = try FolderFiles(path: path, hook: hook)
        } catch {
            throw ConfigurationError([.init(setting: setting, text: FolderProblem.explain(error, path: path))])
        }
    }

    // MARK: - Writing

    package func put(_ bytes: [UInt8], as key: ObjectKey) async throws {
        try await run { files in try files.sync([files.place(NewObject(key: key, bytes: bytes))]) }
    }

    package func putAll(_ objects: [NewObject]) async throws {
        if objects.count < 2 * Self.width {
            return try await run { files in try files.sync(objects.map { try files.place($0) }) }
        }
        let placed = try await withThrowingTaskGroup(of: [FolderFiles.Placed].self) { group in
            for part in Self.parts(of: objects) {
                group.addTask { try await run { files in try part.map { try files.place($0) } } }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        try await run { files in try files.sync(placed) }
    }

    @discardableResult
    package func put<Body: AsyncSequence>(_ body: Body, as key: ObjectKey) async throws -> Int
    where Body.Element == [UInt8] {
        // Whoever reads what has no content in its name checks it, so nobody needs its hash.
        let file = try await write(body, hashing: key.contentDigest != nil)
        try await run { files in
            if let digest = key.contentDigest, file.digest() != digest {
                throw ServiceError(.internalError, "The object does not have the content that its key names")
            }
            try files.sync([files.place(file, as: key)])
        }
        return file.size
    }

    package func putContent<Body: AsyncSequence>(_ body: Body, in folder: ObjectFolder) async throws -> StoredContent
    where Body.Element == [UInt8] {
        let file = try await write(body, hashing: true)
        let key = folder.content(file.digest())
        try await run { files in try files.sync([files.place(file, as: key)]) }
        return StoredContent(key: key, size: file.size)
    }

    package func delete(_ keys: [ObjectKey]) async throws {
        if keys.isEmpty { return }
        try await run { files in try files.delete(keys) }
    }

    /// Temporary files that nobody writes any more: who writes one holds a lock on it, so the time does not matter.
    package func sweepUnfinished(before time: Timestamp) async throws -> Int {
        try await run { files in try files.sweep() }
    }

    // MARK: - Reading

    package func get(_ key: ObjectKey) async throws -> [UInt8] {
        try await read(key) { try $0.bytes() }
    }

    package func get(_ key: ObjectKey, range: Range<Int>) async throws -> [UInt8] {
        try await read(key) { try $0.bytes(in: range) }
    }

    package func stream(_ key: ObjectKey) async throws -> ObjectStream {
        let object = try await read(key) { object in
            try object.verify()
            return object
        }
        let cursor = StreamCursor(object: object)
        return ObjectStream(size: object.size) { try await run { _ in try cursor.next() } }
    }

    package func size(of key: ObjectKey) async throws -> Int? {
        try await run { files in try files.open(key)?.size }
    }

    package func list(in folder: ObjectFolder?, after cursor: String?, limit: Int) async throws -> ObjectPage {
        let start = try ListCursor(cursor)
        return try await run { files in
            var found: [ObjectInfo] = []
            for shard in FolderLayout.shards[start.shard...] {
                let after = shard == FolderLayout.shards[start.shard] ? start.name : nil
                for object in try files.list(shard: shard, in: folder, after: after) {
                    if found.count == limit, let last = found.last {
                        return ObjectPage(objects: found, next: ListCursor.text(after: last.key))
                    }
                    found.append(object)
                }
            }
            return ObjectPage(objects: found, next: nil)
        }
    }

    // MARK: - Pieces

    /// - Parameter hashing: whether the file's digest will be asked for.
    private func write<Body: AsyncSequence>(_ body: Body, hashing: Bool) async throws -> TemporaryFile
    where Body.Element == [UInt8] {
        let file = try await run { files in try files.begin() }
        for try await piece in body where !piece.isEmpty {
            try await run { files in
                try files.orRemove(file) { try hashing ? file.appendHashed(piece) : file.append(piece) }
            }
        }
        return file
    }

    /// Opens and reads; bytes that fail their check are read once more before the object is called damaged.
    private func read<T: Sendable>(_ key: ObjectKey, _ body: @escaping @Sendable (ObjectFile) throws -> T) async throws
        -> T
    {
        try await run { files in
            func attempt() throws -> T {
                guard let object = try files.open(key) else {
                    throw ServiceError(.notFound, "The object \(key) does not exist")
                }
                return try body(object)
            }
            do {
                return try attempt()
            } catch let error as ServiceError where error.code == .damaged {
                return try attempt()
            }
        }
    }

    private func run<T: Sendable>(_ work: @escaping @Sendable (FolderFiles) throws -> T) async throws -> T {
        let files = files
        return try await pool.run(deadline: Self.patience) {
            do {
                return try work(files)
            } catch let failure as FileFailure {
                throw failure.serviceError
            }
        }
    }

    private static func parts(of objects: [NewObject]) -> [[NewObject]] {
        let size = (objects.count + width - 1) / width
        return stride(from: 0, to: objects.count, by: size).map { Array(objects[$0..<min($0 + size, objects.count)]) }
    }
}

/// Where a stream is in its object.
private final class StreamCursor: Sendable {
    private struct State: ~Copyable {
        var offset = 0
        var hash = SHA256()
    }

    private let object: ObjectFile
    private let state = Locked(State())

    init(object: ObjectFile) {
        self.object = object
    }

    /// The next piece; the last one only if all of them together are still what was checked.
    func next() throws -> [UInt8]? {
        try state.withLock { state in
            guard state.offset < object.size else { return nil }
            let range = state.offset..<min(state.offset + ObjectFile.window, object.size)
            let bytes = try object.read(range)
            guard bytes.count == range.count else { throw ObjectFile.damaged(object.key) }
            state.offset = range.upperBound
            guard let digest = object.key.contentDigest else { return bytes }
            state.hash.update(bytes)
            if range.upperBound == object.size, state.hash.finish() != digest { throw ObjectFile.damaged(object.key) }
            return bytes
        }
    }
}

/// Where a page ended: a folder and a name in it.
private struct ListCursor {
    let shard: Int
    let name: String?

    init(_ text: String?) throws {
        guard let text else {
            (shard, name) = (0, nil)
            return
        }
        guard let key = ObjectKey(text), let index = FolderLayout.shards.firstIndex(of: FolderLayout.shard(of: key))
        else {
            throw ServiceError.invalid("cursor", "is not one of this list")
        }
        (shard, name) = (index, FolderLayout.fileName(of: key))
    }

    static func text(after key: ObjectKey) -> String {
        key.description
    }
}
