import Kernel
import Crypto
import Synchronization

/// A file that is being written and has no name yet that anybody reads.
///
/// Used by one caller at a time. When the last owner lets go of it while it has its temporary
/// name, it is removed by whoever runs on the pool next.
final class TemporaryFile: Sendable {
    /// What is left to remove; holds the file open, so that closing it happens on the pool, too.
    struct Remains: Sendable {
        let name: String
        let file: OpenFile
    }

    let name: String
    let file: OpenFile
    private let hook: FolderObjectStore.StepHook
    private let abandon: @Sendable (Remains) -> Void
    private let hash = Locked(SHA256())
    private let written = Atomic<Int>(0)
    private let isRemoved = Atomic<Bool>(false)

    init(
        name: String,
        file: OpenFile,
        hook: @escaping FolderObjectStore.StepHook,
        abandon: @escaping @Sendable (Remains) -> Void
    ) {
        self.name = name
        self.file = file
        self.hook = hook
        self.abandon = abandon
    }

    deinit {
        if !isRemoved.load(ordering: .relaxed) { abandon(Remains(name: name, file: file)) }
    }

    /// How many bytes were written.
    var size: Int { written.load(ordering: .relaxed) }

    func append(_ bytes: [UInt8]) throws(FileFailure) {
        try hook(.write)
        try Failpoint.file(.objectWrite)
        try file.write(bytes)
        written.wrappingAdd(bytes.count, ordering: .relaxed)
    }

    /// The same, counting the bytes into `digest()`.
    func appendHashed(_ bytes: [UInt8]) throws(FileFailure) {
        hash.withLock { $0.update(bytes) }
        try append(bytes)
    }

    /// The digest of what `appendHashed` wrote; asked for once.
    func digest() -> Digest {
        hash.withLock { $0.finish() }
    }

    /// Makes the content durable; nothing is written afterwards.
    func seal() throws(FileFailure) {
        try hook(.syncFile)
        try Failpoint.file(.objectSync)
        try file.sync()
    }

    /// The temporary name is gone: the file was renamed or removed.
    func isGone() {
        isRemoved.store(true, ordering: .relaxed)
    }
}
