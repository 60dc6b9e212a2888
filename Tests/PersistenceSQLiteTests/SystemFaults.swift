import CSQLite
import Foundation
import Kernel

/// Failures of system calls on the files of one folder, as a bad disk gives them.
///
/// They are made in front of SQLite's own file functions, so everything above those is the real thing.
final class SystemFaults: Sendable {
    private struct State: Sendable {
        /// Writing behind this offset fails with "no space".
        var space: Int64?
        /// The result code of every write.
        var writeError: Int32?
        /// Whether the database file itself cannot be written, but the log can.
        var mainFileFails = false
        /// How many syncs fail, with "input/output error".
        var failingSyncs = 0
        var syncs = 0
        var failedCalls = 0
    }

    private let folder: String
    private let state = Locked(State())

    init(folder: String) {
        self.folder = folder
        Self.active.withLock { $0[folder] = self }
    }

    /// Everything works again.
    func remove() {
        _ = Self.active.withLock { $0.removeValue(forKey: folder) }
    }

    /// Lets files grow to `bytes`; nil for as far as they like.
    func limitSpace(_ bytes: Int64?) {
        state.withLock { $0.space = bytes }
    }

    func failWrites(with error: Int32?) {
        state.withLock { $0.writeError = error }
    }

    func failMainFile(_ fails: Bool) {
        state.withLock { $0.mainFileFails = fails }
    }

    func failSyncs(_ count: Int) {
        state.withLock { $0.failingSyncs = count }
    }

    var syncs: Int { state.withLock { $0.syncs } }
    var failedCalls: Int { state.withLock { $0.failedCalls } }

    // MARK: - In the place of SQLite's own file access

    private static let active = Locked<[String: SystemFaults]>([:])

    /// The faults of the folder that holds a file.
    fileprivate static func faults(of path: String) -> SystemFaults? {
        active.withLock { all in all.first { path.hasPrefix($0.key + "/") }?.value }
    }

    fileprivate func writeFails(path: String, offset: Int64, count: Int32) -> Int32? {
        state.withLock { state in
            let error: Int32? =
                if let space = state.space, offset + Int64(count) > space {
                    SQLITE_FULL
                } else if state.mainFileFails, path.hasSuffix(".db") {
                    SQLITE_IOERR | 3 << 8
                } else {
                    state.writeError
                }
            if error != nil { state.failedCalls += 1 }
            return error
        }
    }

    fileprivate func syncFails() -> Bool {
        state.withLock { state in
            state.syncs += 1
            guard state.failingSyncs > 0 else { return false }
            state.failingSyncs -= 1
            state.failedCalls += 1
            return true
        }
    }

    /// Makes every file that SQLite opens from now on pass through here; needed before the driver opens its own.
    static func install() {
        precondition(FaultyFiles.isInstalled, "this SQLite has no files of the kind we know")
    }
}

/// The functions that stand in front of SQLite's own for opening, writing, syncing and closing files.
private enum FaultyFiles {
    private typealias File = UnsafeMutablePointer<sqlite3_file>

    private struct Table: Sendable {
        /// The address of SQLite's own function for opening.
        var open = 0
        /// Open files by the address of SQLite's object: their paths, and the address of their own methods.
        var files: [Int: (path: String, methods: Int)] = [:]
        /// Addresses of our copies by those of SQLite's tables, of which there are several kinds.
        var copies: [Int: Int] = [:]
    }

    private static let table = Locked(Table())

    private static func known(_ file: File?) -> (path: String, methods: sqlite3_io_methods)? {
        guard let entry = table.withLock({ $0.files[Int(bitPattern: file)] }),
            let methods = UnsafePointer<sqlite3_io_methods>(bitPattern: entry.methods)
        else { return nil }
        return (entry.path, methods.pointee)
    }

    private typealias Open =
        @convention(c) (
            UnsafeMutablePointer<sqlite3_vfs>?, sqlite3_filename?, File?, Int32, UnsafeMutablePointer<Int32>?
        ) -> Int32

    /// SQLite's own function for opening.
    ///
    /// SAFETY: of the type that it is read as, because `isInstalled` alone sets it, before anything that reads it is
    /// called.
    private static var realOpen: Open? {
        unsafeBitCast(table.withLock { $0.open }, to: Open?.self)
    }

    static let isInstalled: Bool = {
        guard let system = sqlite3_vfs_find(nil), let open = system.pointee.xOpen else { return false }
        let address = unsafeBitCast(open, to: Int.self)
        table.withLock { $0.open = address }
        system.pointee.xOpen = { system, name, file, flags, result in
            guard let code = FaultyFiles.realOpen?(system, name, file, flags, result) else { return SQLITE_MISUSE }
            if code == SQLITE_OK, let name, let file { FaultyFiles.adopt(file, path: String(cString: name)) }
            return code
        }
        return true
    }()

    private static func adopt(_ file: File, path: String) {
        guard let methods = file.pointee.pMethods else { return }
        table.withLock { table in
            let original = Int(bitPattern: methods)
            if table.copies[original] == nil {
                let copy = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
                copy.initialize(to: methods.pointee)
                copy.pointee.xWrite = write
                copy.pointee.xSync = sync
                copy.pointee.xClose = close
                table.copies[original] = Int(bitPattern: copy)
            }
            table.files[Int(bitPattern: file)] = (path, original)
            file.pointee.pMethods = table.copies[original].flatMap { UnsafePointer(bitPattern: $0) }
        }
    }

    private static let write: @convention(c) (File?, UnsafeRawPointer?, Int32, sqlite3_int64) -> Int32 = {
        file,
        bytes,
        count,
        offset in
        guard let (path, methods) = FaultyFiles.known(file) else { return SQLITE_MISUSE }
        let error = SystemFaults.faults(of: path)?.writeFails(path: path, offset: offset, count: count)
        return error ?? methods.xWrite?(file, bytes, count, offset) ?? SQLITE_MISUSE
    }

    private static let sync: @convention(c) (File?, Int32) -> Int32 = { file, flags in
        guard let (path, methods) = FaultyFiles.known(file) else { return SQLITE_MISUSE }
        if SystemFaults.faults(of: path)?.syncFails() == true { return SQLITE_IOERR | 4 << 8 }
        return methods.xSync?(file, flags) ?? SQLITE_MISUSE
    }

    private static let close: @convention(c) (File?) -> Int32 = { file in
        guard let (_, methods) = FaultyFiles.known(file) else { return SQLITE_MISUSE }
        _ = FaultyFiles.table.withLock { $0.files.removeValue(forKey: Int(bitPattern: file)) }
        return methods.xClose?(file) ?? SQLITE_MISUSE
    }
}
