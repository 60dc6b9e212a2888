import Crypto
import Kernel
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The blocking part of a `FolderObjectStore`; every method runs on the pool.
final class FolderFiles: Sendable {
    /// One object that has its name, but perhaps not yet after a power cut.
    struct Placed {
        let shard: String
        let name: String
        /// Whether this call put it there.
        let isNew: Bool
    }

    private let objects: OpenFile
    private let temporary: OpenFile
    private let hook: FolderObjectStore.StepHook
    private let counter = Atomic<Int>(0)
    /// Temporary files whose writers went away; removed by whoever runs on the pool next.
    private let abandoned = Locked<[TemporaryFile.Remains]>([])

    /// How old a temporary file is when nobody can be writing it any more.
    private static let staleAfter = 3600

    init(path: String, hook: @escaping FolderObjectStore.StepHook) throws(FileFailure) {
        self.hook = hook
        try Self.makeFolder(path)
        let root = try OpenFile(root: path)
        for name in [FolderLayout.objects, FolderLayout.temporary] { try Self.makeFolder(name, in: root) }
        objects = try OpenFile(FolderLayout.objects, in: root, flags: O_RDONLY | O_DIRECTORY)
        temporary = try OpenFile(FolderLayout.temporary, in: root, flags: O_RDONLY | O_DIRECTORY)
        for shard in FolderLayout.shards { try Self.makeFolder(shard, in: objects) }
        try Failpoint.file(.objectFoldersSync)
        try objects.sync()
        try root.sync()
        _ = try sweep()
    }

    // MARK: - Writing

    /// Gives the object its name; not durable before `sync`.
    func place(_ object: NewObject) throws -> Placed {
        let name = FolderLayout.fileName(of: object.key)
        if let digest = object.key.contentDigest, SHA256.hash(object.bytes) != digest {
            throw ServiceError(.internalError, "The object does not have the content that its key names")
        }
        let shard = FolderLayout.shard(of: object.key)
        let isThere = try open(object.key).map { try $0.holds(object.bytes) }
        switch isThere {
        case true: return Placed(shard: shard, name: name, isNew: false)
        case false where object.key.contentHex == nil: throw Self.conflict
        default: break
        }
        let file = try begin()
        try orRemove(file) { try file.append(object.bytes) }
        return try place(file, as: object.key)
    }

    /// Gives a file that was written in pieces its name; removes it when that fails.
    func place(_ file: TemporaryFile, as key: ObjectKey) throws -> Placed {
        try orRemove(file) { try name(file, key) }
    }

    /// Does something with a file that is not needed any more when it fails.
    func orRemove<T>(_ file: TemporaryFile, _ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch {
            remove(file)
            throw error
        }
    }

    private func name(_ file: TemporaryFile, _ key: ObjectKey) throws -> Placed {
        try file.seal()
        try hook(.rename)
        let shard = FolderLayout.shard(of: key)
        let name = FolderLayout.fileName(of: key)
        let folder = try openShard(shard)
        if key.contentHex == nil, try !rename(file, toFree: name, in: folder) {
            guard try open(key)?.holds(sameAs: file.file) == true else { throw Self.conflict }
            remove(file)
            return Placed(shard: shard, name: name, isNew: false)
        }
        if key.contentHex != nil {
            try Failpoint.file(.objectRename)
            try system("rename \(name)") { renameat(temporary.descriptor, file.name, folder.descriptor, name) }
            file.isGone()
            try Failpoint.file(.objectRenamed)
        }
        return Placed(shard: shard, name: name, isNew: true)
    }

    /// Makes names durable, with one call for each folder.
    ///
    /// When that fails, new names are taken away again: a later write must not take them for durable.
    func sync(_ placed: [Placed]) throws {
        for (shard, objects) in Dictionary(grouping: placed, by: \.shard) {
            let folder = try openShard(shard)
            do {
                try hook(.syncFolder)
                try Failpoint.file(.objectFolderSync)
                try folder.sync()
                try Failpoint.file(.objectFolderSynced)
            } catch {
                for object in objects where object.isNew { try? folder.remove(object.name) }
                throw error
            }
        }
    }

    /// A new temporary file.
    func begin() throws -> TemporaryFile {
        removeAbandoned()
        try hook(.createTemporary)
        try Failpoint.file(.objectTemporaryOpen)
        let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
        let name = "\(getpid())-\(number)-\(Hex.encode(Random.bytes(8)))"
        let opened = try OpenFile(name, in: temporary, flags: O_RDWR | O_CREAT | O_EXCL)
        let file = TemporaryFile(name: name, file: opened, hook: hook) { [weak self] remains in
            self?.abandoned.withLock { $0.append(remains) }
        }
        try Failpoint.file(.objectTemporaryOpened)
        return file
    }

    func delete(_ keys: [ObjectKey]) throws {
        for (shard, keys) in Dictionary(grouping: keys, by: FolderLayout.shard) {
            let folder = try openShard(shard)
            try hook(.remove)
            try Failpoint.file(.objectDelete)
            for key in keys { try folder.remove(FolderLayout.fileName(of: key)) }
            try hook(.syncFolder)
            try Failpoint.file(.objectDeleted)
            try folder.sync()
            try Failpoint.file(.objectDeleteSynced)
        }
    }

    /// Removes temporary files that nobody writes any more; the answer is how many.
    ///
    /// Their age is judged by the clock of the file system, which all instances share.
    func sweep() throws(FileFailure) -> Int {
        removeAbandoned()
        let probe = ".probe-\(getpid())-\(Hex.encode(Random.bytes(8)))"
        let file = try OpenFile(probe, in: temporary, flags: O_WRONLY | O_CREAT | O_EXCL)
        defer { try? temporary.remove(probe) }
        try file.write([1])
        try Failpoint.file(.objectSweepProbe)
        try file.sync()
        let now = try file.status().st_mtim.tv_sec
        var count = 0
        for name in try temporary.names() {
            guard let status = try temporary.status(of: name), now - status.st_mtim.tv_sec > Self.staleAfter else {
                continue
            }
            try Failpoint.file(.objectSweepRemove)
            try temporary.remove(name)
            count += 1
        }
        return count
    }

    // MARK: - Reading

    /// The object's file; nil when there is none.
    func open(_ key: ObjectKey) throws -> ObjectFile? {
        let folder = try openShard(FolderLayout.shard(of: key))
        do {
            // A pipe with the name of an object must not hold the thread.
            let file = try OpenFile(FolderLayout.fileName(of: key), in: folder, flags: O_RDONLY | O_NONBLOCK)
            let status = try file.status()
            guard status.st_mode & S_IFMT == S_IFREG else { throw ObjectFile.damaged(key) }
            return ObjectFile(key: key, file: file, size: Int(status.st_size))
        } catch let failure as FileFailure where failure.number == ENOENT {
            return nil
        } catch let failure as FileFailure where failure.number == ELOOP {
            throw ObjectFile.damaged(key, cause: failure)
        }
    }

    /// The objects of one of the 256 folders, by name.
    func list(shard: String, in folder: ObjectFolder?, after name: String?) throws -> [ObjectInfo] {
        let opened = try openShard(shard)
        var found: [ObjectInfo] = []
        for file in try opened.names().sorted() {
            if let name, file <= name { continue }
            guard let key = FolderLayout.key(ofFile: file), folder?.contains(key) ?? true,
                let status = try opened.status(of: file), status.st_mode & S_IFMT == S_IFREG
            else { continue }
            let stored = Int64(status.st_mtim.tv_sec) * 1_000_000 + Int64(status.st_mtim.tv_nsec) / 1000
            found.append(ObjectInfo(key: key, size: Int(status.st_size), stored: Timestamp(microseconds: stored)))
        }
        return found
    }

    // MARK: - Pieces

    private func openShard(_ shard: String) throws(FileFailure) -> OpenFile {
        try OpenFile(shard, in: objects, flags: O_RDONLY | O_DIRECTORY)
    }

    /// Names the file unless the name is taken; false when it is.
    private func rename(_ file: TemporaryFile, toFree name: String, in folder: OpenFile) throws(FileFailure) -> Bool {
        do {
            try Failpoint.file(.objectLink)
            try system("link \(name)") { linkat(temporary.descriptor, file.name, folder.descriptor, name, 0) }
            try Failpoint.file(.objectLinked)
            remove(file)
            return true
        } catch {
            switch error.number {
            case EEXIST: return false
            case EPERM, ENOTSUP, ENOSYS, EMLINK:
                // No hard links here. Keys that name no content have an id that is used once, so nobody else names it.
                if try folder.status(of: name) != nil { return false }
                // lint: failpoint because the file system of tests has links; as `objectRename` otherwise.
                try system("rename \(name)") { renameat(temporary.descriptor, file.name, folder.descriptor, name) }
                file.isGone()
                return true
            default: throw error
            }
        }
    }

    /// Removes what has no use any more; what cannot be removed now is swept later.
    private func remove(_ file: TemporaryFile) {
        if (try? temporary.remove(file.name)) != nil { file.isGone() }
    }

    private func removeAbandoned() {
        let remains = abandoned.withLock { list in
            defer { list = [] }
            return list
        }
        for file in remains { try? temporary.remove(file.name) }
    }

    private static func makeFolder(_ path: String) throws(FileFailure) {
        guard mkdir(path, 0o700) == 0 else {
            let number = errno
            // Whether it is a folder that can be used is found out by opening it.
            if number == EEXIST || access(path, F_OK) == 0 { return }
            throw FileFailure(operation: "mkdir \(path)", number: number)
        }
        let parent = path.lastIndex(of: "/").map { path[..<$0].isEmpty ? "/" : String(path[..<$0]) } ?? "."
        try Failpoint.file(.objectParentSync)
        try OpenFile(root: parent).sync()
    }

    private static func makeFolder(_ name: String, in folder: OpenFile) throws(FileFailure) {
        do {
            try system("mkdir \(name)") { mkdirat(folder.descriptor, name, 0o700) }
        } catch {
            if error.number != EEXIST { throw error }
        }
    }

    private static let conflict = ServiceError(.conflict, "Another object has this key already")
}
