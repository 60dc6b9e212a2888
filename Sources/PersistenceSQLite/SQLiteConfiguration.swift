#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where the database is and how hard it works.
package struct SQLiteConfiguration: Sendable {
    /// The database file, in a folder that exists; its `-wal`, `-shm` and the lock file are beside it.
    package var path: String
    /// How many connections read; 1 or more.
    package var readers: Int
    /// Whether to refuse a folder that another server uses.
    ///
    /// Off for tools that only look at a database a server may have open.
    package var locksFolder: Bool

    /// How long another process may hold the file before `.retryable` is the answer.
    package var busyTimeout: Duration = .seconds(5)
    /// How long a closure may wait for its turn.
    package var queueTimeout: Duration = .seconds(5)
    /// How long a read may take.
    package var readTimeout: Duration = .seconds(10)
    /// How long reads that waited together share a snapshot: the log cannot be emptied past it.
    package var sharingTime: Duration = .milliseconds(20)
    /// How many closures may wait to write, and how many to read.
    package var queueLimit = 1024
    /// How many closures share one commit at most.
    package var groupLimit = 16

    /// Sizes of the write-ahead log, in bytes.
    package var checkpointBytes = 4 << 20
    package var restartBytes = 64 << 20
    package var slowdownBytes = 256 << 20
    /// How long nothing must be written before the log is emptied.
    package var idleTime: Duration = .seconds(2)

    /// - Parameter readers: by default as many as cores, at least 2, at most 8.
    package init(path: String, readers: Int = Self.defaultReaders, locksFolder: Bool = true) {
        self.path = path
        self.readers = max(1, readers)
        self.locksFolder = locksFolder
    }

    /// Whether there is no database yet, so that opening would make one.
    package var isToBeMade: Bool {
        var info = stat()
        guard stat(path, &info) == 0 else { return errno == ENOENT }
        return info.st_mode & S_IFMT == S_IFREG && info.st_size == 0
    }

    package static let defaultReaders = min(max(Host.cores, 2), 8)
}
