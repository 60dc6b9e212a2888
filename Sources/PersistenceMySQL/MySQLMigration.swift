package import Persistence
import Kernel
import Synchronization

extension MySQLDriver {
    /// Runs changes of the schema on a connection of its own, under a lock that every process on this database takes.
    ///
    /// The wait for the lock ends after five minutes or with the task; the server releases the lock with the connection,
    /// so a process that dies leaves none behind.
    package func migrate<T: Sendable>(_ body: @escaping @Sendable (any MigrationSession) throws -> T) async throws -> T
    {
        guard !pool.isClosed else { throw DatabaseError.unavailable("the database is closed") }
        let isCancelled = CancelFlag()
        let thread = DedicatedThread(name: "mysql-migrate", queue: 1)
        defer { thread.stop() }
        return try await withTaskCancellationHandler {
            try await thread.run(deadline: pool.configuration.limits.wait) { [pool] in
                let connection = try Self.connect(pool)
                try connection.takeMigrationLock(isCancelled)
                defer { connection.releaseMigrationLock() }
                try Failpoint.reach(.mysqlMigrationLocked)
                let result = try body(MySQLMigrationSession(connection))
                try Failpoint.reach(.mysqlMigrationUnlock)
                return result
            }
        } onCancel: {
            isCancelled.set()
        }
    }

    private static func connect(_ pool: MySQLPool) throws -> MySQLConnection {
        do {
            return try MySQLConnection(pool.configuration, authority: pool.authority, purpose: .migration)
        } catch {
            throw DatabaseError.unavailable(error.description)
        }
    }
}

/// Whether the task that waits was cancelled.
final class CancelFlag: Sendable {
    private let flag = Atomic<Bool>(false)

    var isSet: Bool { flag.load(ordering: .acquiring) }

    func set() {
        flag.store(true, ordering: .releasing)
    }
}

extension MySQLConnection {
    /// The lock belongs to the server, not to the database, so its name has the database in it; hashed, because names
    /// of locks are shorter than names of databases may be.
    ///
    /// Not by `MD5`, which MySQL 9 has no longer.
    private static let lockName = "CONCAT('cairn.migrate.', LEFT(SHA2(DATABASE(), 256), 40))"

    /// Waits in short steps, to notice a cancelled task.
    fileprivate func takeMigrationLock(_ isCancelled: CancelFlag) throws {
        let deadline = ContinuousClock.now + configuration.limits.migrationLock
        repeat {
            guard !isCancelled.isSet else { throw CancellationError() }
            if try texts("SELECT GET_LOCK(\(Self.lockName), 1)").first?.first == "1" { return }
        } while ContinuousClock.now < deadline
        throw DatabaseError.unavailable("another process has been migrating the database for too long")
    }

    /// Closing the connection releases it as well, so a failure changes nothing.
    fileprivate func releaseMigrationLock() {
        guard isUsable else { return }
        _ = try? texts("SELECT RELEASE_LOCK(\(Self.lockName))")
    }
}

/// Statements of a migration; the server commits each change of the schema by itself.
struct MySQLMigrationSession: MigrationSession {
    private let connection: MySQLConnection

    init(_ connection: MySQLConnection) {
        self.connection = connection
    }

    var dialect: Dialect { .mysql }

    /// Text without values goes as it is: there are statements that servers cannot prepare.
    func execute(_ sql: SQL) throws {
        if sql.parameters.isEmpty {
            try connection.checkReady(sql.text)
            try patiently { try connection.command(sql.text) }
        } else {
            _ = try connection.execute(sql)
        }
    }

    /// A change of the schema waits for every transaction that uses the table, and all that come meanwhile wait for it:
    /// so it waits for a moment, lets them pass, and tries again.
    private func patiently(_ change: () throws -> Void) throws {
        for _ in 0..<connection.configuration.limits.schemaLockRetries {
            do {
                return try change()
            } catch DatabaseError.retryable where connection.mode == nil {
                continue
            }
        }
        try change()
    }

    func transaction<T>(_ body: (Transaction) throws -> T) throws -> T {
        try connection.begin(.write)
        do {
            let result = try body(Transaction(dialect: .mysql, connection: connection))
            try connection.commit()
            return result
        } catch {
            if connection.mode != nil { connection.rollback() }
            throw error
        }
    }
}
