import Kernel
package import Persistence

/// MySQL and MariaDB behind `Database`.
///
/// Connections are opened on demand, so making a driver needs no server; `inspect` is what tells at start whether there
/// is one.
package final class MySQLDriver: DatabaseDriver {
    let pool: MySQLPool

    /// - Throws: when the certificates cannot be handed to the client library.
    package init(_ configuration: MySQLConfiguration) throws(MySQLConfigurationProblem) {
        pool = try MySQLPool(configuration)
    }

    package var dialect: Dialect { .mysql }

    /// Connections that are open or being opened, for metrics.
    package var connections: Int { pool.connections }

    /// Closures that wait for a connection, for metrics.
    package var waiting: Int { pool.waiting }

    /// Gives the result before the server hears that the snapshot is no longer needed: nothing depends on that.
    package func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try await run(.read) { connection in
            let result = try body(Transaction(dialect: .mysql, connection: connection))
            try connection.checkWhole()
            return result
        }
    }

    package func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try await run(.write) { connection in
            let result = try body(Transaction(dialect: .mysql, connection: connection))
            try connection.commit()
            return result
        }
    }

    package func close() async {
        await pool.close()
    }

    /// Asks the server what it is and how durable it is set up to be.
    ///
    /// - Throws: `MySQLConnectError` when no connection comes about.
    package func inspect() async throws -> MySQLServerReport {
        try await run(nil) { try MySQLServerReport($0) }
    }

    private func run<T: Sendable>(
        _ mode: MySQLConnection.Mode?,
        _ body: @escaping @Sendable (MySQLConnection) throws -> T
    ) async throws -> T {
        let slot = Locked<MySQLJob?>(nil)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<T, any Error>) in
                let job = MySQLJob(
                    mode: mode,
                    deadline: .now + pool.configuration.limits.wait,
                    work: { [self] connection, job in
                        answer(continuation, Result { try body(connection) }, connection, job)
                    },
                    refuse: { continuation.resume(throwing: $0) }
                )
                slot.withLock { $0 = job }
                // The handler found nothing in the slot if the task was cancelled before.
                if Task.isCancelled { job.cancel() }
                if job.isWaiting { pool.submit(job) }
            }
        } onCancel: {
            slot.withLock { $0 }?.cancel()
        }
    }

    /// Hands over a result and leaves the connection without a transaction.
    private func answer<T: Sendable>(
        _ continuation: CheckedContinuation<T, any Error>,
        _ result: Result<T, any Error>,
        _ connection: MySQLConnection,
        _ job: MySQLJob
    ) {
        let wasCancelled = job.finish()
        pool.willFinish()
        switch result {
        case .success(let value):
            continuation.resume(returning: value)
        case .failure(let error):
            continuation.resume(throwing: wasCancelled && error is DatabaseError ? CancellationError() : error)
        }
        // A commit, done or failed, has left nothing to roll back.
        if connection.mode != nil { connection.rollback() }
    }
}
