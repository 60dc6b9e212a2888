import Persistence

/// A closure that reads.
struct ReadJob: Job {
    let ticket: Ticket
    let deadline: ContinuousClock.Instant
    /// Runs in a transaction and gives what tells the caller of success.
    let work: @Sendable (Transaction) throws -> @Sendable () -> Void
    let refuse: @Sendable (any Error) -> Void

    var isShared: Bool { false }
}

/// A thread that reads, one closure after the other, each on a snapshot of its own.
struct Reader: ConnectionLoop {
    let opening: SQLiteOpening
    let jobs: WaitingJobs<ReadJob>
    let counters: Counters
    private var connection: Connection?
    private var transaction: Transaction?

    init(opening: SQLiteOpening, jobs: WaitingJobs<ReadJob>, counters: Counters) throws(SQLiteOpenError) {
        self.opening = opening
        self.jobs = jobs
        self.counters = counters
        try adopt(opening.open(.reader))
    }

    private mutating func adopt(_ connection: Connection) {
        self.connection = connection
        transaction = Transaction(dialect: .sqlite, connection: connection)
    }

    mutating func run() {
        while let job = jobs.take(1).first {
            do {
                try perform(job)()
            } catch {
                job.refuse(error)
            }
        }
        connection?.close()
    }

    private mutating func perform(_ job: ReadJob) throws -> @Sendable () -> Void {
        let (connection, transaction) = try usable()
        let start = ContinuousClock.now
        let limit = Connection.Limit(deadline: start + opening.configuration.readTimeout, ticket: job.ticket)
        let result = Result {
            try connection.withLimit(limit) { try read(job, connection, transaction) }
        }
        let time = start.duration(to: .now)
        let isInterrupted = time > opening.configuration.readTimeout || job.ticket.isCancelled
        counters.update { values in
            values.reads += 1
            values.readTime += time
            values.longestRead = max(values.longestRead, time)
            if isInterrupted { values.interruptedReads += 1 }
        }
        return try result.get()
    }

    private func read(
        _ job: ReadJob,
        _ connection: Connection,
        _ transaction: Transaction
    ) throws -> @Sendable () -> Void {
        do {
            try connection.begin("BEGIN")
        } catch {
            throw connection.translate(error)
        }
        defer { connection.endRead() }
        return try job.work(transaction)
    }

    private mutating func usable() throws -> (Connection, Transaction) {
        if let connection, let transaction, !connection.isLost { return (connection, transaction) }
        connection?.close()
        connection = nil
        do {
            try adopt(opening.open(.reader))
        } catch {
            throw DatabaseError.unavailable(error.description)
        }
        counters.update { $0.reopened += 1 }
        return try usable()
    }
}
