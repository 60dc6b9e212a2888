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

/// A thread that reads, one closure after the other.
///
/// Closures that waited already when a snapshot was taken are run on the same one: beginning and ending it costs as much
/// as a small read does. Those that come later get a later snapshot, so that everybody sees what was written before they
/// asked.
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
                let (connection, transaction) = try usable()
                try readAll(from: job, connection, transaction)
            } catch {
                job.refuse(error)
            }
        }
        connection?.close()
    }

    /// Runs a closure, and after it those that waited as well, on one snapshot.
    ///
    /// - Throws: when no snapshot can be begun; nothing was run then.
    private func readAll(from first: ReadJob, _ connection: Connection, _ transaction: Transaction) throws {
        let newest = jobs.newest
        do {
            try connection.begin("BEGIN")
        } catch {
            throw connection.translate(error)
        }
        defer { connection.endRead() }
        counters.update { $0.snapshots += 1 }
        let end = ContinuousClock.now + opening.configuration.sharingTime
        var next: ReadJob? = first
        while let job = next {
            do {
                let answer = try connection.measuredRead(for: job.ticket, opening.configuration, counters) {
                    try job.work(transaction)
                }
                answer()
            } catch {
                // Whatever it was may have cost the snapshot.
                return job.refuse(error)
            }
            next = ContinuousClock.now < end ? jobs.take(upTo: newest) : nil
        }
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

extension Connection {
    /// Runs a read under its limit and counts it.
    ///
    /// - Parameters:
    ///   - ticket: nil for a read in the task that asks.
    ///   - snapshots: how many were begun for it.
    func measuredRead<Result>(
        for ticket: Ticket?,
        _ configuration: SQLiteConfiguration,
        _ counters: Counters,
        snapshots: Int = 0,
        _ work: () throws -> Result
    ) throws -> Result {
        let start = ContinuousClock.now
        let limit = Limit(deadline: start + configuration.readTimeout, ticket: ticket)
        defer {
            let time = start.duration(to: .now)
            let isInterrupted = time > configuration.readTimeout || limit.isCancelled
            counters.update { values in
                values.reads += 1
                values.snapshots += snapshots
                values.readTime += time
                values.longestRead = max(values.longestRead, time)
                if isInterrupted { values.interruptedReads += 1 }
            }
        }
        return try withLimit(limit, work)
    }
}
