import CSQLite
import Kernel
import Persistence

/// A closure that writes.
struct WriteJob: Job {
    enum Work: Sendable {
        /// Runs in a transaction, perhaps twice, and gives what tells the caller of success.
        case shared(@Sendable (Transaction) throws -> @Sendable () -> Void)
        /// Has the connection for itself, runs once and answers by itself.
        case exclusive(@Sendable (Connection) throws -> @Sendable () -> Void)
    }

    let ticket: Ticket
    let deadline: ContinuousClock.Instant
    let work: Work
    let refuse: @Sendable (any Error) -> Void

    var isShared: Bool {
        if case .shared = work { true } else { false }
    }
}

/// The thread that writes: closures that wait at the same time share one commit.
///
/// It never waits for company: while one group is made durable, the next one gathers. No caller gets an answer before
/// the commit that covers it.
struct Writer: ConnectionLoop {
    let opening: SQLiteOpening
    let jobs: WaitingJobs<WriteJob>
    let counters: Counters
    let log: LogSize
    let commits: Commits
    private var connection: Connection?
    private var transaction: Transaction?

    init(
        opening: SQLiteOpening,
        jobs: WaitingJobs<WriteJob>,
        counters: Counters,
        log: LogSize,
        commits: Commits
    ) throws(SQLiteOpenError) {
        self.opening = opening
        self.jobs = jobs
        self.counters = counters
        self.log = log
        self.commits = commits
        try adopt(opening.open(.writer))
    }

    private mutating func adopt(_ connection: Connection) {
        self.connection = connection
        transaction = Transaction(dialect: .sqlite, connection: connection)
    }

    mutating func run() {
        while true {
            let group = jobs.take(opening.configuration.groupLimit)
            guard !group.isEmpty else { break }
            slowDown()
            guard let (connection, transaction) = usable(refusing: group) else { continue }
            let start = ContinuousClock.now
            if group.count == 1 {
                runAlone(group[0], connection, transaction)
            } else {
                runGroup(group, connection, transaction)
            }
            let time = start.duration(to: .now)
            counters.update { values in
                values.writeTime += time
                values.longestWrite = max(values.longestWrite, time)
            }
            log.committed(pages: connection.logPages)
        }
        connection?.close()
    }

    /// The connection, opened anew if it was lost.
    private mutating func usable(refusing group: [WriteJob]) -> (Connection, Transaction)? {
        if let connection, connection.isLost {
            connection.close()
            self.connection = nil
            transaction = nil
        }
        if connection == nil {
            do {
                // The engine looks at the log again, and may find more in it than before.
                adopt(try commits.during { () throws(SQLiteOpenError) in try opening.open(.writer) })
                counters.update { $0.reopened += 1 }
            } catch {
                for job in group { job.refuse(DatabaseError.unavailable(error.description)) }
                return nil
            }
        }
        guard let connection, let transaction else { return nil }
        return (connection, transaction)
    }

    /// Holds writes back while the log is much larger than the checkpoints can keep it.
    private func slowDown() {
        let limit = opening.configuration.slowdownBytes
        guard log.bytes > limit else { return }
        counters.update { $0.slowedGroups += 1 }
        let excess = Double(log.bytes - limit) / Double(max(limit, 1))
        Host.pause(.milliseconds(min(5 + 45 * excess, 100)))
    }

    // MARK: - One closure

    private func runAlone(_ job: WriteJob, _ connection: Connection, _ transaction: Transaction) {
        switch job.work {
        case .exclusive(let work):
            answer(job) { try commits.during { try work(connection) } }
            connection.rollBack()
        case .shared(let work):
            answer(job) {
                try begin(connection)
                let succeed: @Sendable () -> Void
                do {
                    succeed = try work(transaction)
                    guard connection.isInTransaction else {
                        throw DatabaseError.unavailable("the engine has rolled the transaction back")
                    }
                } catch {
                    connection.rollBack()
                    throw error
                }
                try commit(connection, closures: 1)
                return succeed
            }
        }
    }

    private func answer(_ job: WriteJob, _ body: () throws -> @Sendable () -> Void) {
        do {
            try body()()
        } catch {
            job.refuse(error)
        }
    }

    // MARK: - A group

    /// What became of a closure before the commit of its group.
    private enum Outcome {
        case success(@Sendable () -> Void)
        case failure(any Error)
    }

    private func runGroup(_ group: [WriteJob], _ connection: Connection, _ transaction: Transaction) {
        do {
            try begin(connection)
            guard let outcomes = try runInSavepoints(group, connection, transaction) else {
                return runOneByOne(group, connection, transaction)
            }
            let successes = outcomes.count { if case .success = $0 { true } else { false } }
            try commit(connection, closures: successes)
            for (job, outcome) in zip(group, outcomes) {
                switch outcome {
                case .success(let succeed): succeed()
                case .failure(let error): job.refuse(error)
                }
            }
        } catch {
            if connection.isLost || Self.isFinal(error) {
                for job in group { job.refuse(error) }
            } else {
                runOneByOne(group, connection, transaction)
            }
        }
    }

    /// Runs each closure so that its failure undoes its own work only.
    ///
    /// - Returns: nil when an error ended the whole transaction.
    private func runInSavepoints(
        _ group: [WriteJob],
        _ connection: Connection,
        _ transaction: Transaction
    ) throws -> [Outcome]? {
        var outcomes: [Outcome] = []
        for job in group {
            guard case .shared(let work) = job.work else { continue }
            try control("SAVEPOINT closure", connection)
            do {
                outcomes.append(.success(try work(transaction)))
            } catch {
                outcomes.append(.failure(error))
                if connection.isInTransaction { try control("ROLLBACK TO closure", connection) }
            }
            guard connection.isInTransaction else {
                connection.rollBack()
                if connection.isLost { throw DatabaseError.unavailable("the connection to the file was lost") }
                return nil
            }
            try control("RELEASE closure", connection)
        }
        return outcomes
    }

    /// After a commit that failed or an error that ended the transaction: nobody has an answer yet, and the one to
    /// blame must not take its neighbours along.
    private func runOneByOne(_ group: [WriteJob], _ connection: Connection, _ transaction: Transaction) {
        counters.update { $0.brokenGroups += 1 }
        for job in group {
            if connection.isLost {
                job.refuse(DatabaseError.unavailable("the connection to the file was lost"))
            } else {
                runAlone(job, connection, transaction)
            }
        }
    }

    /// Whether running the closures again would meet the same: the engine is busy, or the commit may have happened.
    private static func isFinal(_ error: any Error) -> Bool {
        switch error as? DatabaseError {
        case .retryable, .unknownCommit: true
        default: false
        }
    }

    // MARK: - Transactions

    private func begin(_ connection: Connection) throws {
        do {
            try connection.begin("BEGIN IMMEDIATE")
        } catch {
            if error.isBusy { counters.update { $0.busy += 1 } }
            throw connection.translate(error)
        }
    }

    private func control(_ sql: String, _ connection: Connection) throws {
        do {
            try connection.meet(.sqliteSavepoint)
            try connection.control(sql)
        } catch {
            connection.rollBack()
            throw connection.translate(error)
        }
    }

    /// Makes the transaction durable.
    ///
    /// A failed sync leaves it open whether the file has the transaction; the connection is lost then.
    private func commit(_ connection: Connection, closures: Int) throws {
        do {
            try commits.during { () throws(SQLiteFailure) in try connection.commit() }
        } catch {
            connection.rollBack()
            if error.leavesCommitUnknown {
                throw DatabaseError.unknownCommit("SQLite: \(error.message) (\(error.code))")
            }
            throw connection.translate(error)
        }
        counters.update { values in
            values.groups += 1
            values.writes += closures
            if closures > 0, closures <= values.groupSizes.count { values.groupSizes[closures - 1] += 1 }
        }
    }
}
