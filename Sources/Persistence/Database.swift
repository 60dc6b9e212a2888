package import Kernel

/// One engine's way to run transactions.
///
/// Implemented by `PersistenceSQLite` and `PersistenceMySQL`, which pass the same conformance kit.
package protocol DatabaseDriver: Sendable {
    var dialect: Dialect { get }

    /// Runs `body` on one snapshot of the database, without the right to write.
    func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T

    /// Runs `body` in one transaction and returns when its commit is durable.
    ///
    /// Throws `DatabaseError.retryable` when the engine asks to run it again (deadlock, busy).
    func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T

    /// Runs statements that cannot be part of a transaction on every engine (schema changes), on one connection that
    /// holds the engine's migration lock for as long as `body` runs.
    func migrate<T: Sendable>(_ body: @escaping @Sendable (any MigrationSession) throws -> T) async throws -> T

    /// Ends when waiting work is done; later work is refused.
    func close() async
}

/// The connection of a migration: statements, each committed by itself where the engine commits schema changes by
/// itself, and a transaction around several where it can.
package protocol MigrationSession {
    var dialect: Dialect { get }
    func execute(_ sql: SQL) throws
    func transaction<T>(_ body: (Transaction) throws -> T) throws -> T

    /// Has later writes check foreign keys, or not.
    ///
    /// For SQLite, where one connection makes all writes and no transaction can decide it. On MySQL it does nothing: each
    /// transaction sets `foreign_key_checks` for its own connection.
    func checkForeignKeys(_ isOn: Bool) throws
}

extension MigrationSession {
    package func checkForeignKeys(_ isOn: Bool) throws {}
}

/// What a driver says about its engine, beside the errors of statements.
package enum DatabaseError: Error, Sendable {
    /// Run it again: deadlock, lock wait, busy.
    case retryable(String)
    /// A unique key exists already. `key` is the engine's name for it.
    case duplicate(key: String)
    /// The engine cannot be reached, is full or read-only.
    case unavailable(String)
    /// The commit was sent and its answer was lost: it may have happened.
    case unknownCommit(String)
    /// A statement the engine refused: a mistake of ours.
    case statement(code: Int, message: String, sql: String)
    /// A commit or read that shows damage in the file.
    case corrupt(String)
}

/// The one way to the database.
///
/// Closures are synchronous, sendable and repeatable: they capture only constants and have no effect but SQL. No result
/// leaves before the commit that covers it is durable.
package struct Database: Sendable {
    private let driver: any DatabaseDriver
    private let attempts: Int
    private let pause: @Sendable (Int) async throws -> Void

    /// - Parameters:
    ///   - attempts: how often a write that met a deadlock is tried.
    ///   - pause: waits before try number `n` (2 and up), with jitter.
    package init(
        driver: any DatabaseDriver,
        attempts: Int = 4,
        pause: @escaping @Sendable (Int) async throws -> Void = Database.jitteredPause
    ) {
        self.driver = driver
        self.attempts = attempts
        self.pause = pause
    }

    package var dialect: Dialect { driver.dialect }

    /// Runs `body` on one snapshot.
    ///
    /// - Throws: what `body` throws; `.unavailable` when the engine is away or too busy.
    package func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        do {
            return try await driver.read(body)
        } catch let error as DatabaseError {
            throw error.serviceError
        }
    }

    /// Runs `body` in one transaction, again when the engine asks for it.
    ///
    /// - Throws: what `body` throws, with nothing changed; `.unavailable` when the engine is away or too busy.
    package func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        var attempt = 1
        while true {
            do {
                return try await driver.write(body)
            } catch DatabaseError.retryable(let reason) {
                attempt += 1
                guard attempt <= attempts else { throw DatabaseError.retryable(reason).serviceError }
                try await pause(attempt)
            } catch let error as DatabaseError {
                throw error.serviceError
            }
        }
    }

    /// See `DatabaseDriver.migrate`.
    package func migrate<T: Sendable>(_ body: @escaping @Sendable (any MigrationSession) throws -> T) async throws -> T
    {
        do {
            return try await driver.migrate(body)
        } catch let error as DatabaseError {
            throw error.serviceError
        }
    }

    package func close() async {
        await driver.close()
    }

    /// 5 to 15 ms before the second try, doubled for each further one.
    package static let jitteredPause: @Sendable (Int) async throws -> Void = { attempt in
        let base = 10.0 * Double(1 << min(attempt - 2, 6))
        // lint: effects because no result depends on the jitter, and tests pass their own pause.
        try await Task.sleep(for: .milliseconds(base * Double.random(in: 0.5...1.5)))
    }
}

extension DatabaseError {
    /// The form in which it leaves the database layer.
    package var serviceError: ServiceError {
        switch self {
        case .duplicate:
            ServiceError(.conflict, "Conflict: it already exists.", cause: self)
        case .retryable:
            .unavailable("The database is busy; try again.", cause: self)
        case .unavailable:
            .unavailable("The database cannot be reached; try again.", cause: self)
        case .unknownCommit:
            .unavailable("The database did not confirm the change; try again.", cause: self)
        case .statement where isMissingTable:
            .unavailable(
                "Tables of the database are away: it is being moved to another one, or was; see 'cairn check'.",
                cause: self
            )
        case .statement, .corrupt:
            ServiceError(.internalError, "Internal error.", cause: self)
        }
    }

    /// A move gives tables other names, under the eyes of a server that was not stopped.
    private var isMissingTable: Bool {
        guard case .statement(let code, let message, _) = self else { return false }
        return code == 1146 || code == 1 && message.hasPrefix("no such table: ")
    }
}
