import Kernel
package import Persistence

/// SQLite as a `DatabaseDriver`: one thread that writes with group commit, a few that read, one that checkpoints.
///
/// Nothing of SQLite runs on a thread of Swift's pool. Each connection stays on its own thread, but for those that read on
/// the thread of whoever asks, where that may block.
package final class SQLiteDriver: DatabaseDriver {
    package let configuration: SQLiteConfiguration
    let opening: SQLiteOpening
    private let writes: WaitingJobs<WriteJob>
    private let reads: WaitingJobs<ReadJob>
    private let inPlace: ReadersInPlace
    private let counters: Counters
    private let commits = Commits()
    private let log: LogSize
    private let threads = Locked(Threads())
    private let timer = Monitor(false)

    private struct Threads: Sendable {
        /// Readers and the writer; they end when their work is done.
        var working: [ThreadEnd] = []
        /// The checkpointer, which empties the log when nobody else has the file open.
        var checkpointer: ThreadEnd?
        /// Copies and checks that run on connections of their own.
        var errands: [Errand] = []
        var folderLock: FolderLock?
        var isClosed = false
    }

    /// Long work on a connection of its own.
    final class Errand: Sendable {
        let ticket = Ticket()
        let end = ThreadEnd()
    }

    private init(_ configuration: SQLiteConfiguration) {
        self.configuration = configuration
        opening = SQLiteOpening(configuration: configuration)
        writes = WaitingJobs(limit: configuration.queueLimit)
        reads = WaitingJobs(limit: configuration.queueLimit)
        counters = Counters(groupLimit: configuration.groupLimit)
        inPlace = ReadersInPlace(opening: opening, counters: counters, commits: commits)
        log = LogSize(configuration)
    }

    /// Opens the database, and makes the file if the folder has none.
    ///
    /// - Throws: `SQLiteOpenError`, one line for the operator.
    package static func open(_ configuration: SQLiteConfiguration) async throws -> SQLiteDriver {
        let driver = SQLiteDriver(configuration)
        do {
            try await driver.start()
        } catch {
            await driver.close()
            throw error
        }
        return driver
    }

    /// Threads hold everything but the driver: without it they end by themselves.
    deinit {
        writes.stop()
        reads.stop()
        log.stop()
        stopTimer()
    }

    private func start() async throws {
        let (opening, counters, log, writes, reads) = (opening, counters, log, writes, reads)
        let (commits, inPlace) = (commits, inPlace)
        let locksFolder = configuration.locksFolder
        let lock = try await ConnectionThread.run(name: "sqlite-open") {
            try opening.prepare()
            return locksFolder ? try FolderLock(folder: opening.folder) : nil
        }
        threads.withLock { $0.folderLock = lock }
        let writer = try await ConnectionThread.start(name: "sqlite-write", under: lock) {
            try Writer(opening: opening, jobs: writes, counters: counters, log: log, commits: commits)
        }
        threads.withLock { $0.working.append(writer) }
        let checkpointer = try await ConnectionThread.start(name: "sqlite-check", under: lock) {
            try Checkpointer(opening: opening, counters: counters, log: log, inPlace: inPlace)
        }
        threads.withLock { $0.checkpointer = checkpointer }
        for index in 0..<configuration.readers {
            let reader = try await ConnectionThread.start(name: "sqlite-read-\(index)", under: lock) {
                try Reader(opening: opening, jobs: reads, counters: counters)
            }
            threads.withLock { $0.working.append(reader) }
        }
        startTimer()
    }

    package var dialect: Dialect { .sqlite }

    /// What happened since the driver was opened.
    package var statistics: SQLiteStatistics {
        var result = counters.snapshot
        result.waitingWrites = writes.count
        result.waitingReads = reads.count
        result.logBytes = log.bytes
        return result
    }

    // MARK: - Work

    /// Reads at once on the caller's thread where that may block, otherwise on a reader's thread.
    package func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        // Without the folder's lock others may write, and nobody counts their commits.
        if TaskThreads.isCurrent, configuration.locksFolder {
            try Task.checkCancellation()
            if let value = try inPlace.read(body) { return value }
        }
        let ticket = Ticket()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<T, any Error>) in
                reads.add(
                    ReadJob(
                        ticket: ticket,
                        deadline: .now + configuration.queueTimeout,
                        work: { transaction in
                            let value = try body(transaction)
                            return { continuation.resume(returning: value) }
                        },
                        refuse: { continuation.resume(throwing: $0) }
                    )
                )
            }
        } onCancel: {
            reads.cancel(ticket)
        }
    }

    package func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try await enqueue(timeout: configuration.queueTimeout) { continuation in
            .shared { transaction in
                let value = try body(transaction)
                return { continuation.resume(returning: value) }
            }
        }
    }

    /// Runs alone on the writer's connection.
    ///
    /// The folder's lock keeps other servers out, so no lock of the engine is needed.
    package func migrate<T: Sendable>(
        _ body: @escaping @Sendable (any MigrationSession) throws -> T
    ) async throws -> T {
        try await enqueue(timeout: Self.migrationTimeout) { continuation in
            .exclusive { connection in
                let value = try body(SQLiteMigrationSession(connection))
                return { continuation.resume(returning: value) }
            }
        }
    }

    /// Another migration may run before this one.
    private static let migrationTimeout: Duration = .seconds(600)

    private func enqueue<T: Sendable>(
        timeout: Duration,
        _ work: (CheckedContinuation<T, any Error>) -> WriteJob.Work
    ) async throws -> T {
        let ticket = Ticket()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                writes.add(
                    WriteJob(
                        ticket: ticket,
                        deadline: .now + timeout,
                        work: work(continuation),
                        refuse: { continuation.resume(throwing: $0) }
                    )
                )
            }
        } onCancel: {
            writes.cancel(ticket)
        }
    }

    // MARK: - The end

    /// Does the work that waits, empties the log into the file and releases the folder.
    ///
    /// Copies and checks that run are cancelled.
    package func close() async {
        reads.stop()
        writes.stop()
        let (working, errands) = threads.withLock { threads in
            threads.isClosed = true
            return (threads.working, threads.errands)
        }
        for errand in errands { errand.ticket.cancel() }
        for end in working + errands.map(\.end) { await end.wait() }
        await inPlace.close()
        log.stop()
        await threads.withLock { $0.checkpointer }?.wait()
        stopTimer()
        threads.withLock { $0.folderLock }?.release()
    }

    /// Makes `close` wait for one more connection.
    func beginErrand() throws -> Errand {
        let errand = Errand()
        try threads.withLock { threads in
            guard !threads.isClosed else { throw DatabaseError.unavailable("the database is closed") }
            threads.errands.append(errand)
        }
        return errand
    }

    func endErrand(_ errand: Errand) {
        threads.withLock { threads in threads.errands.removeAll { $0 === errand } }
        errand.end.signal()
    }

    // MARK: - Waiting too long

    /// Refuses what has waited too long, even when every other thread is stuck in the file system.
    private func startTimer() {
        let (timer, reads, writes, counters) = (timer, reads, writes, counters)
        NamedThread.start(name: "sqlite-timer") {
            while timer.wait(for: .milliseconds(250), { $0 ? true : nil }) == nil {
                let now = ContinuousClock.now
                let expired = reads.expire(at: now) + writes.expire(at: now)
                if expired > 0 { counters.update { $0.expired += expired } }
            }
        }
    }

    private func stopTimer() {
        timer.withLock { $0 = true }
        timer.broadcast()
    }
}
