import CSQLite
import Kernel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Opens connections and proves that they are set as durability needs it.
struct SQLiteOpening: Sendable {
    let configuration: SQLiteConfiguration

    private var path: String { configuration.path }

    /// Settings of the library, made once and before it is used.
    static let library = cairn_sqlite_count_no_memory()

    /// Settings that are kept per connection: one that is missing on one of them loses data silently.
    ///
    /// `mmap_size`: a read error in a mapped file is a signal, not a result code. `secure_delete`: Debian's library zeroes
    /// all that is deleted; fast, it zeroes only what it writes anyway, and not the pages of the batches that an update's
    /// end deletes, which would go through the log once more.
    private func settings(_ role: Connection.Role) -> [(name: String, value: String)] {
        let busy = role == .maintenance ? "0" : String(Self.milliseconds(configuration.busyTimeout))
        return [
            ("busy_timeout", busy),
            ("journal_mode", "wal"),
            ("synchronous", "2"),
            ("foreign_keys", "1"),
            ("trusted_schema", "0"),
            ("cell_size_check", "1"),
            ("temp_store", "2"),
            ("secure_delete", "fast"),
            ("mmap_size", "0"),
            ("cache_size", role == .writer ? "-8000" : "-2000"),
            ("wal_autocheckpoint", "0"),
            ("query_only", role == .reader ? "1" : "0"),
        ]
    }

    /// Checks the library, the folder and the file before SQLite is asked, and makes the file if it is missing.
    func prepare() throws(SQLiteOpenError) {
        guard sqlite3_threadsafe() != 0 else {
            throw .library("the SQLite library is built for one thread only")
        }
        guard sqlite3_libversion_number() >= 3_037_000 else {
            throw .library("SQLite \(String(cString: sqlite3_libversion())) is too old, 3.37 or newer is needed")
        }
        _ = Self.library
        try checkFolder()
        try checkFile()
    }

    /// A connection for `role` with every setting in place.
    func open(_ role: Connection.Role) throws(SQLiteOpenError) -> Connection {
        var handle: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = sqlite3_open_v2(path, &handle, flags, nil)
        guard let handle else { throw .engine(path: path, code: Int(code), message: "out of memory") }
        guard code == SQLITE_OK else {
            let message = String(cString: sqlite3_errmsg(handle))
            sqlite3_close_v2(handle)
            throw .engine(path: path, code: Int(code), message: message)
        }
        let connection = Connection(handle: handle, role: role)
        do {
            for (name, value) in settings(role) { try set(name, to: value, on: connection) }
            // The first access to the file itself.
            _ = try connection.value("SELECT count(*) FROM sqlite_schema")
        } catch let failure as SQLiteFailure {
            connection.close()
            throw openError(failure)
        } catch let error as SQLiteOpenError {
            connection.close()
            throw error
        } catch {
            connection.close()
            throw .engine(path: path, code: Int(SQLITE_ERROR), message: "\(error)")
        }
        var isDefensive: Int32 = 0
        guard cairn_sqlite_set_defensive(handle, &isDefensive) == SQLITE_OK, isDefensive == 1 else {
            connection.close()
            throw .setting(name: "defensive", wanted: "1", got: "\(isDefensive)")
        }
        connection.installHooks()
        return connection
    }

    private func set(_ name: String, to value: String, on connection: Connection) throws {
        _ = try connection.value("PRAGMA \(name) = \(value)")
        let got = try connection.value("PRAGMA \(name)")
        // Asked for, this one is a number.
        let wanted = value == "fast" ? "2" : value
        guard got.lowercased() == wanted else {
            throw SQLiteOpenError.setting(name: name, wanted: wanted, got: got)
        }
    }

    private func openError(_ failure: SQLiteFailure) -> SQLiteOpenError {
        failure.isNotADatabase
            ? .notADatabase(path: path)
            : .engine(path: path, code: Int(failure.code), message: failure.message)
    }

    // MARK: - The folder and the file

    var folder: String { Self.folder(of: path) }

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private func checkFolder() throws(SQLiteOpenError) {
        var info = stat()
        guard stat(folder, &info) == 0 else {
            throw .access("the folder \(folder) cannot be used: \(Host.error(errno))")
        }
        guard info.st_mode & S_IFMT == S_IFDIR else { throw .access("\(folder) is not a folder") }
        guard Host.mayUse(folder, W_OK | X_OK) else {
            throw .access(Self.refused("folder", folder, info))
        }
        if let kind = Self.networkFileSystems[cairn_file_system_kind(folder)] {
            throw .access("\(folder) is on a network file system (\(kind)), which SQLite cannot use safely")
        }
    }

    /// The file is ours alone to read; `-wal` and `-shm` get its mode.
    private func checkFile() throws(SQLiteOpenError) {
        try meet(.sqliteFileMake)
        if Host.createFile(path) {
            try meet(.sqliteFolderSync)
            guard Host.syncFolder(folder) else {
                throw .access("the folder \(folder) cannot be made durable: \(Host.error(errno))")
            }
            try meet(.sqliteFolderSynced)
            return
        }
        guard errno == EEXIST else { throw .access("\(path) cannot be made: \(Host.error(errno))") }
        var info = stat()
        guard stat(path, &info) == 0 else { throw .access("\(path) cannot be used: \(Host.error(errno))") }
        guard info.st_mode & S_IFMT == S_IFREG else { throw .access("\(path) is not a file") }
        guard Host.mayUse(path, R_OK | W_OK) else { throw .access(Self.refused("file", path, info)) }
    }

    private func meet(_ point: Failpoint) throws(SQLiteOpenError) {
        try Failpoint.reach(point, or: SQLiteOpenError.access("a step with \(path) failed on purpose"))
    }

    private static func refused(_ what: String, _ path: String, _ info: stat) -> String {
        let reason = Host.error(errno)
        let mode = String(info.st_mode & 0o7777, radix: 8)
        return """
            the \(what) \(path) must be writable by user \(geteuid()): it belongs to user \(info.st_uid), \
            group \(info.st_gid), with mode \(mode) (\(reason))
            """
    }

    private static let networkFileSystems: [Int: String] = [
        0x6969: "NFS", 0x517B: "SMB", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB2", 0x0102_1997: "9P",
    ]

    private static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
