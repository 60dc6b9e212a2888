import CSQLite
import Kernel
import Persistence

/// One connection, opened, used and closed by one thread.
final class Connection: DriverConnection {
    /// What a connection is for.
    enum Role {
        case writer
        case reader
        /// Checkpoints and copies.
        case maintenance
    }

    /// What may end the work that runs.
    struct Limit {
        let deadline: ContinuousClock.Instant
        /// Nil where the work runs in its own task, which knows whether it is cancelled.
        let ticket: Ticket?

        var isCancelled: Bool { ticket?.isCancelled ?? Task.isCancelled }
    }

    let role: Role
    private let handle: OpaquePointer
    private var cache = StatementCache(limit: 256)
    private var isClosed = false
    /// Whether statements belong to a transaction, which the engine may have ended after an error.
    private var expectsTransaction = false
    private var limit: Limit?
    /// Whether a closure is looking at a row: another statement would be refused by MySQL, so it is here, too.
    private var isReadingRows = false
    /// The size of the write-ahead log after the last commit, in pages; for the writer.
    fileprivate(set) var logPages = 0
    /// The first failure that makes this connection unfit for more work.
    private(set) var isLost = false

    /// Takes over an open handle; `SQLiteOpening` makes one that is set up.
    init(handle: OpaquePointer, role: Role) {
        self.handle = handle
        self.role = role
    }

    /// Lets the engine call back; after the settings, because `wal_autocheckpoint` takes the place of the hook.
    func installHooks() {
        let context = Unmanaged.passUnretained(self).toOpaque()
        switch role {
        case .writer: sqlite3_wal_hook(handle, walHook, context)
        case .reader, .maintenance: sqlite3_progress_handler(handle, 2000, progressHandler, context)
        }
    }

    deinit {
        close()
    }

    /// Ends the connection; the last one of the file empties the log.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        cache.removeAll()
        sqlite3_close_v2(handle)
    }

    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    // MARK: - Statements of a store

    func execute(_ sql: SQL) throws -> Int {
        try translated {
            try meet(.sqliteStatement)
            let before = sqlite3_total_changes64(handle)
            try run(sql.text, sql.parameters, isOurs: false) { statement in
                while try step(statement) {}
            }
            try meet(.sqliteStatementDone)
            // The count of the last change stays when a statement changes no row.
            return sqlite3_total_changes64(handle) == before ? 0 : Int(sqlite3_changes64(handle))
        }
    }

    func query(_ sql: SQL, _ body: (Row) throws -> Bool) throws {
        try translated {
            try run(sql.text, sql.parameters, isOurs: false) { statement in
                isReadingRows = true
                defer { isReadingRows = false }
                let row = Row(statement)
                while try step(statement) {
                    guard try body(row) else { break }
                }
            }
        }
    }

    /// Runs `body` with failures in the words of `DatabaseError`.
    private func translated<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let failure as SQLiteFailure {
            throw translate(failure)
        }
    }

    /// - Parameter limit: what may have interrupted the work, if it is over already.
    func translate(_ failure: SQLiteFailure, under limit: Limit? = nil) -> any Error {
        if failure.needsNewConnection { isLost = true }
        if failure.isInterrupt, let limit = limit ?? self.limit {
            return limit.isCancelled
                ? CancellationError() : DatabaseError.unavailable("the read took too long")
        }
        return failure.databaseError(mayWrite: role == .writer)
    }

    // MARK: - Transactions

    /// Statements of the driver itself.
    func control(_ sql: String, _ parameters: [SQLValue] = []) throws(SQLiteFailure) {
        do {
            try run(sql, parameters, isOurs: true) { statement in
                while try step(statement) {}
            }
        } catch let failure as SQLiteFailure {
            throw failure
        } catch {
            throw SQLiteFailure(code: SQLITE_ERROR, message: "\(error)", sql: sql)
        }
    }

    /// The first column of the first row of a statement of the driver itself, as text.
    func value(_ sql: String) throws(SQLiteFailure) -> String {
        try values(sql).first ?? ""
    }

    /// The first column of each row.
    func values(_ sql: String) throws(SQLiteFailure) -> [String] {
        var result: [String] = []
        do {
            try run(sql, [], isOurs: true) { statement in
                while try step(statement) {
                    result.append(sqlite3_column_text(statement.handle, 0).map { String(cString: $0) } ?? "")
                }
            }
        } catch let failure as SQLiteFailure {
            throw failure
        } catch {
            throw SQLiteFailure(code: SQLITE_ERROR, message: "\(error)", sql: sql)
        }
        return result
    }

    func begin(_ sql: String) throws(SQLiteFailure) {
        try meet(.sqliteBegin)
        try control(sql)
        expectsTransaction = true
    }

    func commit() throws(SQLiteFailure) {
        try meet(.sqliteCommit)
        try control("COMMIT")
        expectsTransaction = false
        try meet(.sqliteCommitted)
    }

    /// Passes a point of the connection that writes, at which a failure is that of a broken disk.
    func meet(_ point: Failpoint) throws(SQLiteFailure) {
        guard role != .reader, Failpoint.fails(point) else { return }
        isLost = true
        throw SQLiteFailure(code: SQLITE_IOERR, message: "failed on purpose", sql: "")
    }

    /// Ends the transaction if the engine has not done so already.
    func rollBack() {
        expectsTransaction = false
        guard isInTransaction else { return }
        do {
            try control("ROLLBACK")
        } catch {
            isLost = true
        }
    }

    /// Releases the snapshot of a read, whatever became of it.
    func endRead() {
        limit = nil
        do {
            if isInTransaction { try commit() }
            expectsTransaction = false
        } catch {
            rollBack()
        }
    }

    /// Runs `body` under a limit, for connections that read.
    func withLimit<Result>(_ limit: Limit, _ body: () throws -> Result) rethrows -> Result {
        self.limit = limit
        defer { self.limit = nil }
        return try body()
    }

    // MARK: - Running

    private func run(
        _ text: String,
        _ parameters: [SQLValue],
        isOurs: Bool,
        _ body: (Statement) throws -> Void
    ) throws {
        if !isOurs { try checkReady(text) }
        let statement: Statement
        if let cached = cache.find(text) {
            statement = cached
        } else {
            statement = try prepare(text, isOurs: isOurs)
            cache.insert(statement)
        }
        defer { statement.reset() }
        try statement.withBound(parameters) { try body(statement) }
    }

    private func checkReady(_ text: String) throws {
        guard !isReadingRows else {
            throw SQLiteFailure(
                code: SQLITE_MISUSE,
                message: "a statement inside the closure that gets another one's rows",
                sql: text
            )
        }
        if expectsTransaction, !isInTransaction {
            throw DatabaseError.unavailable("the engine has rolled the transaction back")
        }
        if let limit, limit.isCancelled { throw CancellationError() }
    }

    private func prepare(_ text: String, isOurs: Bool) throws -> Statement {
        if !isOurs, let word = Self.controlWord(of: text) {
            throw SQLiteFailure(code: SQLITE_MISUSE, message: "\(word) is not a statement of a transaction", sql: text)
        }
        var prepared: OpaquePointer?
        var copy = text
        let (code, rest) = copy.withUTF8 { buffer in
            buffer.withMemoryRebound(to: CChar.self) { characters -> (Int32, Bool) in
                var tail: UnsafePointer<CChar>?
                let code = sqlite3_prepare_v3(
                    handle,
                    characters.baseAddress,
                    Int32(clamping: characters.count),
                    UInt32(SQLITE_PREPARE_PERSISTENT),
                    &prepared,
                    &tail
                )
                guard let tail, let start = characters.baseAddress else { return (code, false) }
                return (code, characters[(tail - start)...].contains { ![9, 10, 13, 32, 59].contains($0) })
            }
        }
        guard code == SQLITE_OK else { throw failure(code, sql: text) }
        guard let prepared else { throw SQLiteFailure(code: SQLITE_MISUSE, message: "an empty statement", sql: text) }
        let statement = Statement(handle: prepared, sql: text)
        guard !rest else { throw SQLiteFailure(code: SQLITE_MISUSE, message: "several statements", sql: text) }
        return statement
    }

    private func step(_ statement: Statement) throws -> Bool {
        switch sqlite3_step(statement.handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw failure(code, sql: statement.sql)
        }
    }

    private func failure(_ code: Int32, sql: String) -> SQLiteFailure {
        let failure = SQLiteFailure(code: code, message: String(cString: sqlite3_errmsg(handle)), sql: sql)
        if failure.needsNewConnection { isLost = true }
        return failure
    }

    /// The first word, if it would break the driver's hold on the transaction or its settings.
    private static func controlWord(of text: String) -> String? {
        let word = text.drop { $0.isWhitespace }.prefix { $0.isLetter }.uppercased()
        return controlWords.contains(word) ? word : nil
    }

    private static let controlWords: Set<String> = [
        "BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "ATTACH", "DETACH", "PRAGMA", "VACUUM",
    ]

    // MARK: - Checkpoints

    enum CheckpointMode {
        case passive
        case restart
        case truncate
    }

    /// Moves the log into the file.
    ///
    /// - Returns: whether it did all that its mode promises; others may have held it back.
    func checkpoint(_ mode: CheckpointMode) throws(SQLiteFailure) -> Bool {
        let code: Int32 =
            switch mode {
            case .passive: SQLITE_CHECKPOINT_PASSIVE
            case .restart: SQLITE_CHECKPOINT_RESTART
            case .truncate: SQLITE_CHECKPOINT_TRUNCATE
            }
        try meet(.sqliteCheckpoint)
        let result = sqlite3_wal_checkpoint_v2(handle, nil, code, nil, nil)
        try meet(.sqliteCheckpointed)
        guard result == SQLITE_OK || result & 0xFF == SQLITE_BUSY else { throw failure(result, sql: "checkpoint") }
        return result == SQLITE_OK
    }

    fileprivate var mustStop: Bool {
        guard let limit else { return false }
        return limit.isCancelled || limit.deadline < .now
    }
}

/// SAFETY: SQLite calls it on the connection's thread, from inside a statement, while the connection is alive.
private let walHook: @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?, UnsafePointer<CChar>?, Int32) -> Int32 =
    {
        context,
        _,
        _,
        pages in
        guard let context else { return SQLITE_OK }
        Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue().logPages = Int(pages)
        return SQLITE_OK
    }

/// SAFETY: as `walHook`.
private let progressHandler: @convention(c) (UnsafeMutableRawPointer?) -> Int32 = { context in
    guard let context else { return 0 }
    return Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue().mustStop ? 1 : 0
}
