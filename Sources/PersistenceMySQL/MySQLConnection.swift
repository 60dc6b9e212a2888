import CMariaDB
import Kernel
import Persistence

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One connection to a server.
///
/// Opened, used and closed by one thread only; it is not sendable, so the compiler keeps it there.
final class MySQLConnection {
    /// What a transaction may do.
    enum Mode: Sendable {
        /// One snapshot from the first statement to the last, no writes.
        case read
        /// `READ COMMITTED` and explicit row locks.
        case write
    }

    /// What the connection is for; migrations wait longer.
    enum Purpose: Sendable {
        case work
        case migration
    }

    let configuration: MySQLConfiguration
    let opened = ContinuousClock.now
    private(set) var lastUse = ContinuousClock.now
    /// The largest message that the server takes, in bytes.
    private(set) var maximumPacket = 0
    /// What the last error said about the connection.
    private(set) var fate = MySQLVerdict.Connection.keep
    let isMariaDB: Bool

    let handle: UnsafeMutablePointer<MYSQL>
    var cache: StatementCache<PreparedStatement>
    /// True while the rows of a statement are being read: the connection can do nothing else until they are.
    var isReadingRows = false
    private(set) var mode: Mode?
    /// The error that ended the transaction, thrown again by whatever the closure does next.
    private var ended: DatabaseError?
    private var deadline: ContinuousClock.Instant?
    /// The isolation level that the next transaction would have.
    private var isolation = Mode.write

    /// Connects, sets the session and reads it back.
    init(
        _ configuration: MySQLConfiguration,
        authority: CertificateFile?,
        purpose: Purpose = .work
    ) throws(MySQLConnectError) {
        guard Self.libraryIsReady, let handle = mysql_init(nil) else {
            throw MySQLConnectError(
                kind: .other,
                code: 2008,
                detail: "the client library has no memory",
                endpoint: configuration.endpoint,
                usesTLS: configuration.tls != nil
            )
        }
        self.configuration = configuration
        self.handle = handle
        cache = StatementCache(limit: configuration.limits.statements)
        MySQLOptions(configuration, authority: authority, purpose: purpose).apply(to: handle)
        // The flag makes an UPDATE count the rows it matched, as on SQLite, not only those it changed.
        let connected = mysql_real_connect(
            handle,
            configuration.endpoint.host,
            configuration.user,
            configuration.password.reveal(),
            configuration.database.isEmpty ? nil : configuration.database,
            UInt32(configuration.endpoint.port),
            nil,
            UInt(CLIENT_FOUND_ROWS)
        )
        guard connected != nil else {
            isMariaDB = false
            throw Self.connectError(handle, configuration)
        }
        isMariaDB = mariadb_connection(handle) != 0
        try setSession(purpose)
        limitUnacknowledgedData()
    }

    deinit {
        for statement in cache.values { statement.close() }
        mysql_close(handle)
    }

    private static let libraryIsReady = mysql_server_init(0, nil, nil) == 0

    /// The socket, for another thread to shut down while this one waits on it.
    var socket: Int32 { mysql_get_socket(handle) }

    var isUsable: Bool { fate == .keep }

    /// Asks the server whether it is there.
    func ping() -> Bool {
        guard mysql_ping(handle) == 0 else {
            fate = .drop
            return false
        }
        lastUse = .now
        return true
    }
}

// MARK: - Transactions

extension MySQLConnection {
    /// Begins a transaction.
    ///
    /// - Parameter deadline: a statement or a row after it throws.
    func begin(_ mode: Mode, deadline: ContinuousClock.Instant? = nil) throws {
        self.mode = mode
        self.deadline = deadline
        ended = nil
        if isolation != mode {
            switch mode {
            case .read: try command("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            case .write: try command("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
            }
            isolation = mode
        }
        try meet(.mysqlBegin)
        switch mode {
        // At a lower level the option would be ignored, and every statement would see another state.
        case .read: try command("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        case .write: try command("START TRANSACTION READ WRITE")
        }
    }

    /// Commits a write.
    ///
    /// - Throws: `unknownCommit` where the answer was lost; `retryable` when a statement of the transaction met a
    ///   deadlock and the closure did not pass it on.
    func commit() throws {
        if let ended {
            rollback()
            throw ended
        }
        defer { finish() }
        guard sendCommit() else {
            let verdict = MySQLVerdict.commit(lastError)
            fate = verdict.connection
            throw verdict.error
        }
    }

    /// Sends COMMIT and waits for its answer; the library does the same in one call.
    private func sendCommit() -> Bool {
        let text = "COMMIT"
        return !Failpoint.fails(.mysqlCommit)
            && mysql_send_query(handle, text, UInt(text.utf8.count)) == 0
            && !Failpoint.fails(.mysqlCommitSent)
            && mysql_read_query_result(handle) == 0
            && !Failpoint.fails(.mysqlCommitted)
    }

    /// Passes a point of a transaction that writes, at which a failure is that of a connection that is cut.
    func meet(_ point: Failpoint) throws {
        guard mode == .write, Failpoint.fails(point) else { return }
        throw judge(MySQLError(code: 2013, message: "failed on purpose"), sql: "")
    }

    /// Refuses a statement that ended the transaction it was part of, as every change of the schema does.
    ///
    /// A mistake of ours: what came before is committed.
    func checkTransaction(after sql: SQL) throws {
        guard mode != nil, handle.pointee.server_status & UInt32(SERVER_STATUS_IN_TRANS) == 0 else { return }
        let error = DatabaseError.statement(
            code: 0,
            message: "the statement ended the transaction that it was part of",
            sql: sql.text
        )
        ended = error
        throw error
    }

    /// Throws what ended the transaction, in case the closure did not pass it on.
    func checkWhole() throws {
        if let ended { throw ended }
    }

    /// Ends a transaction and what it did; a connection that cannot is dropped.
    func rollback() {
        defer { finish() }
        guard isUsable else { return }
        if isReadingRows || !run("ROLLBACK") { fate = .drop }
    }

    private func finish() {
        mode = nil
        deadline = nil
        ended = nil
        lastUse = .now
    }
}

// MARK: - Errors and statements without values

extension MySQLConnection {
    var lastError: MySQLError {
        MySQLError(code: Int(mysql_errno(handle)), message: String(cString: mysql_error(handle)))
    }

    /// Notes what an error means for the connection and the transaction, and gives what the caller gets to see.
    func judge(_ failure: MySQLError, sql: String) -> DatabaseError {
        let verdict = MySQLVerdict.statement(failure, sql: sql, isReadOnly: mode == .read)
        if verdict.connection != .keep { fate = verdict.connection }
        if verdict.endsTransaction, mode != nil { ended = verdict.error }
        return verdict.error
    }

    /// Refuses work that cannot succeed: in a transaction that is over, past the deadline, between two rows.
    func checkReady(_ sql: String) throws {
        if let ended { throw ended }
        guard isUsable else { throw DatabaseError.unavailable("the connection was lost") }
        guard !isReadingRows else {
            throw DatabaseError.statement(
                code: 2014,
                message: "a statement inside the closure that gets another one's rows",
                sql: sql
            )
        }
        try checkDeadline()
    }

    func checkDeadline() throws {
        guard let deadline, ContinuousClock.now > deadline else { return }
        let error = DatabaseError.unavailable("a read took longer than \(configuration.limits.read)")
        ended = error
        throw error
    }

    /// Runs text that is the same every time and holds no values: control statements, which older servers cannot
    /// prepare.
    func command(_ text: String) throws {
        guard run(text) else { throw judge(lastError, sql: text) }
    }

    /// The rows of a statement without values, as texts; for settings, so small.
    func texts(_ text: String) throws -> [[String?]] {
        guard mysql_real_query(handle, text, UInt(text.utf8.count)) == 0, let result = mysql_store_result(handle)
        else { throw judge(lastError, sql: text) }
        defer { mysql_free_result(result) }
        let columns = Int(mysql_num_fields(result))
        var rows: [[String?]] = []
        while let row = mysql_fetch_row(result), let lengths = mysql_fetch_lengths(result) {
            rows.append(
                (0..<columns).map { column in
                    row[column].map { start in
                        String(
                            decoding: UnsafeRawBufferPointer(start: start, count: Int(lengths[column])),
                            as: UTF8.self
                        )
                    }
                }
            )
        }
        return rows
    }

    /// Runs a statement and drops the result that an unusual one may have.
    private func run(_ text: String) -> Bool {
        guard mysql_real_query(handle, text, UInt(text.utf8.count)) == 0 else { return false }
        guard mysql_field_count(handle) > 0 else { return true }
        guard let result = mysql_store_result(handle) else { return false }
        mysql_free_result(result)
        return true
    }
}

// MARK: - Opening

extension MySQLConnection {
    private static func connectError(
        _ handle: UnsafeMutablePointer<MYSQL>,
        _ configuration: MySQLConfiguration
    ) -> MySQLConnectError {
        let failure = MySQLError(code: Int(mysql_errno(handle)), message: String(cString: mysql_error(handle)))
        return MySQLConnectError(
            failure,
            endpoint: configuration.endpoint,
            usesTLS: configuration.tls != nil,
            password: configuration.password.reveal()
        )
    }

    private func setSession(_ purpose: Purpose) throws(MySQLConnectError) {
        let limits = configuration.limits
        let session = MySQLSession(
            isMariaDB: isMariaDB,
            version: Int(mysql_get_server_version(handle)),
            lock: purpose == .work ? limits.lock : limits.schemaLock,
            statement: purpose == .work ? max(limits.read, .seconds(1)) : nil
        )
        guard run(session.setStatement), run("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED") else {
            throw Self.connectError(handle, configuration)
        }
        var found: [String: String] = [:]
        do {
            for row in try texts(session.readStatement) where row.count == 2 {
                if let name = row[0], let value = row[1] { found[name.lowercased()] = value }
            }
        } catch {
            throw Self.connectError(handle, configuration)
        }
        if let difference = session.difference(to: found) {
            throw MySQLConnectError(
                kind: .session,
                code: 0,
                detail: difference,
                endpoint: configuration.endpoint,
                usesTLS: configuration.tls != nil
            )
        }
        maximumPacket = found["max_allowed_packet"].flatMap { Int($0) } ?? 1 << 20
    }

    /// A peer that is gone without a word (a power cut, a firewall that forgot the connection) is noticed when bytes stay
    /// unacknowledged for 10 seconds, not after the quarter of an hour that the kernel would try.
    ///
    /// Best effort: without it the time-outs of the library remain.
    private func limitUnacknowledgedData() {
        var milliseconds: UInt32 = 10_000
        _ = setsockopt(
            socket,
            Int32(IPPROTO_TCP),
            TCP_USER_TIMEOUT,
            &milliseconds,
            socklen_t(MemoryLayout<UInt32>.size)
        )
    }
}
