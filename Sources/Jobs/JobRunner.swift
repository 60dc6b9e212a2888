package import Kernel
package import Persistence
package import Telemetry

/// Claims due jobs and runs them, a bounded number at a time.
///
/// A claim is a lease that is renewed while the job runs: the jobs of a process that died come back when it ends.
package final class JobRunner: Service {
    package struct Limits: Sendable {
        /// Jobs at the same time.
        package var concurrency = 4
        /// How long to wait when nothing is due.
        package var idle: Duration = .seconds(1)
        /// How long a claim holds without renewal.
        package var lease: Duration = .seconds(60)

        package init() {}
    }

    package let name = "jobs"

    private let database: Database
    private let effects: Effects
    private let clock: any Clock<Duration>
    private let kinds: [String: Kind]
    private let limits: Limits
    private let log: Logger
    private let store = JobStore()
    private let runner: JobID
    private let workload = Workload()

    package init(
        database: Database,
        effects: Effects,
        clock: any Clock<Duration>,
        kinds: [Kind],
        limits: Limits = Limits(),
        log: Logger
    ) {
        self.database = database
        self.effects = effects
        self.clock = clock
        self.kinds = Dictionary(kinds.map { ($0.name, $0) }) { first, _ in first }
        self.limits = limits
        self.log = log
        runner = effects.id()
    }

    /// Runs jobs until it is drained or cancelled, and then waits for those in progress.
    ///
    /// Jobs that are cancelled with it keep their claims until their leases end; `drain` is the way to stop.
    package func run() async throws {
        try await reportUnknownKinds()
        await withDiscardingTaskGroup { group in
            while !workload.isDraining, !Task.isCancelled {
                let started = await startDue(in: &group)
                if started == 0 { try? await clock.sleep(for: limits.idle) }
            }
        }
    }

    /// Takes no more jobs and returns when those in progress have ended.
    ///
    /// When the caller's patience ends, which it shows by cancelling, they are cancelled and given back.
    package func drain() async {
        await workload.drain()
    }

    /// Whether it takes no more jobs.
    package var isDraining: Bool { workload.isDraining }

    /// Claims what is due now, runs it to its end, and answers how many jobs that was.
    package func runDue() async throws -> Int {
        guard workload.begin() else { return 0 }
        defer { workload.end() }
        let claimed = try await claim(limit: limits.concurrency)
        await withDiscardingTaskGroup { group in
            for row in claimed { group.addTask { await self.work(on: row) } }
        }
        return claimed.count
    }

    private func startDue(in group: inout DiscardingTaskGroup) async -> Int {
        let free = limits.concurrency - workload.count
        guard free > 0, workload.begin() else { return 0 }
        defer { workload.end() }
        do {
            let claimed = try await claim(limit: free)
            workload.add(claimed.count)
            for row in claimed {
                group.addTask {
                    await self.work(on: row)
                    self.workload.end()
                }
            }
            return claimed.count
        } catch {
            log.warning("jobs wait for the database", ["error": .error(error)])
            return 0
        }
    }

    private func claim(limit: Int) async throws -> [JobRow] {
        let now = effects.now()
        let until = now.advanced(by: limits.lease)
        return try await database.write { [store, runner, kinds] tx in
            let due = try store.due(kinds: Array(kinds.keys), at: now, limit: limit, in: tx)
            return try due.filter { row in
                guard try store.claim(row.id, by: runner, until: until, now: now, in: tx) else { return false }
                try Failpoint.reach(.jobClaimed)
                return true
            }
        }
    }

    /// Runs one claimed job to its outcome; nothing it throws leaves here.
    private func work(on row: JobRow) async {
        guard let kind = kinds[row.kind] else { return }
        let attempt = row.attempt + 1
        let context = JobContext(id: row.id, attempt: attempt, log: log)
        do {
            try Failpoint.reach(.jobBegin)
            let outcome = try await withLease(of: row.id) { try await kind.run(row.payload, context) }
            try Failpoint.reach(.jobRan)
            try await settle(row, outcome)
            try Failpoint.reach(.jobSettled)
        } catch is CancellationError {
            await giveBack(row)
        } catch {
            await retry(row, kind: kind, attempt: attempt, error: error)
        }
    }

    /// Runs `body` while it renews the claim, and cancels it when the claim is lost or the runner is to hurry.
    private func withLease<T: Sendable>(of id: JobID, _ body: @escaping @Sendable () async throws -> T) async throws
        -> T
    {
        try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                await self.workload.hurried()
                throw CancellationError()
            }
            group.addTask {
                while true {
                    try await self.clock.sleep(for: self.limits.lease / 3)
                    guard try await self.renew(id) else { throw CancellationError() }
                }
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let result = first else { throw CancellationError() }
            return result
        }
    }

    private func renew(_ id: JobID) async throws -> Bool {
        let until = effects.now().advanced(by: limits.lease)
        return try await database.write { [store, runner] tx in
            try store.renew(id, by: runner, until: until, in: tx)
        }
    }

    private func settle(_ row: JobRow, _ outcome: JobOutcome) async throws {
        let now = effects.now()
        try await database.write { [store, runner] tx in
            switch outcome {
            case .done, .abandon:
                try store.delete(row.id, of: runner, in: tx)
            case .again(let wait):
                let due = now.advanced(by: wait)
                try store.reschedule(row.id, of: runner, due: due, attempt: 0, error: nil, in: tx)
            }
        }
        if case .abandon(let reason) = outcome {
            log.notice("job abandoned", ["kind": .text(row.kind), "job": "\(row.id)", "reason": .text(reason)])
        }
    }

    private func retry(_ row: JobRow, kind: Kind, attempt: Int, error: any Error) async {
        let now = effects.now()
        let text = "\(error)"
        let isLast = attempt >= kind.retry.attempts
        let jitter = Double(effects.randomBytes(1).first ?? 0) / 255
        let due = now.advanced(by: kind.retry.delay(after: attempt, jitter: jitter))
        do {
            try await database.write { [store, runner] tx in
                if isLast {
                    try store.fail(row.id, of: runner, error: text, at: now, in: tx)
                } else {
                    try store.reschedule(row.id, of: runner, due: due, attempt: attempt, error: text, in: tx)
                }
            }
        } catch {
            // The lease ends by itself, and the job comes back then.
            log.warning("job outcome not recorded", ["kind": .text(row.kind), "error": .error(error)])
        }
        log.log(
            isLast ? .error : .warning,
            isLast ? "job failed for good" : "job failed; it is tried again",
            ["kind": .text(row.kind), "job": "\(row.id)", "attempt": .integer(attempt), "error": .text(text)]
        )
    }

    private func giveBack(_ row: JobRow) async {
        let now = effects.now()
        do {
            try await database.write { [store, runner] tx in
                try store.reschedule(row.id, of: runner, due: now, attempt: row.attempt, error: nil, in: tx)
            }
        } catch {
            log.warning(
                "job not given back; its lease ends by itself",
                ["kind": .text(row.kind), "error": .error(error)]
            )
        }
    }

    private func reportUnknownKinds() async throws {
        let unknown = try await database.read { [store, kinds] tx in
            try store.unknownKinds(known: Array(kinds.keys), in: tx)
        }
        for (kind, count) in unknown {
            log.error(
                "jobs of a kind that this version does not know",
                ["kind": .text(kind), "count": .integer(count)]
            )
        }
    }
}

extension JobRunner {
    /// A job with its type taken away, as the runner keeps it.
    package struct Kind: Sendable {
        package let name: String
        let retry: RetryPolicy
        package let run: @Sendable (String, JobContext) async throws -> JobOutcome

        /// A kind whose word follows from how the program is wired, such as one for each subscriber to events.
        package init(
            name: String,
            retry: RetryPolicy,
            run: @escaping @Sendable (_ payload: String, _ context: JobContext) async throws -> JobOutcome
        ) {
            self.name = name
            self.retry = retry
            self.run = run
        }

        package init<J: Job>(_ job: J) {
            name = J.kind
            retry = J.retry
            run = { text, context in
                guard let payload = J.Payload(encoded: text) else { return .abandon("its payload cannot be read") }
                return try await job.run(payload, context)
            }
        }
    }
}
