import CloudAccess
import Crypto
import Events
import Jobs
import Kernel
import Persistence
import Telemetry

/// Copies the chains of the audit log to a table, each in its order, from its first event.
///
/// How far each has come is a mark in the database, which moves once the events up to it are in the table. Whatever
/// happens in between, they are written again, which changes nothing. While the table is away they wait where they are.
final class CopyAuditEventsJob: Job {
    static let kind = "audit.copy"
    static let retry = RetryPolicy(attempts: .max, base: .seconds(2), cap: .seconds(60))

    /// How many chains one round looks at.
    static let chains = 100
    /// How many events of one chain a round takes.
    static let events = 250
    /// How many rounds one run makes, and when it begins no other one, so that a stop does not wait for the end of a long
    /// log.
    static let rounds = 100
    static let turn = Duration.seconds(5)
    /// The wait after a run that copied something: more may come.
    static let busy = Duration.seconds(1)
    /// The wait after one that found nothing.
    static let idle = Duration.seconds(5)
    /// The wait after one that the table has taken a part of: it has too much to do.
    static let throttled = Duration.seconds(10)

    private let table: DynamoAuditTable
    private let database: Database
    private let effects: Effects
    private let metrics: AuditArchiveMetrics
    private let copies = AuditCopies()
    /// The digest of what tells the table from others of its name; nil until it was asked.
    private let destination = Locked<String?>(nil)

    init(_ table: DynamoAuditTable, database: Database, effects: Effects, metrics: AuditArchiveMetrics) {
        self.table = table
        self.database = database
        self.effects = effects
        self.metrics = metrics
    }

    func run(_ payload: NoPayload, _ context: JobContext) async throws -> JobOutcome {
        let destination = try await destination(isNew: context.attempt > 1)
        let end = effects.now().advanced(by: Self.turn)
        var copied = 0
        for _ in 0..<Self.rounds {
            let round: Round
            do {
                round = try await self.round(to: destination, context)
            } catch let error as CopyStopped where copied + error.copied > 0 && error.cause.refusal?.isThrottle == true
            {
                context.log.warning("the audit log is copied slowly", ["reason": .text(error.cause.message)])
                return .again(after: Self.throttled)
            } catch let error as CopyStopped {
                throw error.cause
            }
            copied += round.copied
            if let failure = round.failure { throw failure }
            guard round.hasMore else {
                report(copied, context)
                return .again(after: copied > 0 ? Self.busy : Self.idle)
            }
            if effects.now() >= end { break }
        }
        report(copied, context)
        return .again(after: .zero)
    }

    private func report(_ copied: Int, _ context: JobContext) {
        guard context.attempt > 1 else { return }
        context.log.notice("the audit log is copied again", ["events": .integer(copied)])
    }

    /// What came of one look at all chains.
    private struct Round {
        var copied = 0
        var hasMore: Bool
        /// What is wrong with a chain, or with how its events were taken: it is no business of the others.
        var failure: (any Error)?
    }

    /// Copies some events of each chain that has new ones.
    private func round(to destination: String, _ context: JobContext) async throws -> Round {
        let lags = try await database.read { [copies] tx in
            try copies.behind(at: destination, limit: Self.chains, in: tx)
        }
        metrics.waiting(Int(clamping: lags.reduce(0) { $0 + $1.events }))
        var round = Round(hasMore: lags.count == Self.chains || lags.contains { $0.events > Self.events })
        for lag in lags {
            try Task.checkCancellation()
            do {
                round.copied += try await copy(lag.mark, to: destination, context)
            } catch let error as ServiceError where error.refusal?.isAboutContent == true || error.isOfChain {
                round.failure = round.failure ?? error
            } catch let error as CopyStopped {
                throw CopyStopped(copied: round.copied + error.copied, cause: error.cause)
            }
        }
        return round
    }

    /// Asked for anew after a failure: the table may have been made again, and then it lacks everything.
    private func destination(isNew: Bool) async throws -> String {
        if !isNew, let known = destination.withLock({ $0 }) { return known }
        let found = try await table.identity()
        destination.withLock { $0 = found }
        return found
    }

    /// Copies the next events of one chain.
    ///
    /// - Returns: how many.
    private func copy(_ mark: AuditCopies.Mark, to destination: String, _ context: JobContext) async throws -> Int {
        let records = try await database.read { [copies] tx in
            try copies.events(behind: mark, limit: Self.events, in: tx)
        }
        guard !records.isEmpty else { throw ServiceError.chainEnds(mark) }
        var last = mark
        var done = 0
        for batch in DynamoAuditTable.batches(items(records, after: mark, context)) {
            let written: Int
            do {
                try Failpoint.reach(.auditCopySend)
                written = try await table.write(batch)
                try Failpoint.reach(.auditCopySent)
            } catch let error as ServiceError {
                try await keep(last, from: mark, at: destination)
                throw error.refusal?.isAboutContent == true ? error : CopyStopped(copied: done, cause: error)
            }
            if written > 0 { last = AuditCopies.Mark(mark.scope, batch[written - 1]) }
            done += written
            metrics.copied(written)
            guard written == batch.count else {
                try await keep(last, from: mark, at: destination)
                let error = ServiceError.dynamoUnprocessed(batch.count - written, table.description)
                throw CopyStopped(copied: done, cause: error)
            }
        }
        try await keep(last, from: mark, at: destination)
        return done
    }

    /// The events with their links; says so where these do not fit, and copies what is there.
    private func items(_ records: [AuditRecord], after mark: AuditCopies.Mark, _ context: JobContext) -> [AuditItem] {
        var (sequence, hash) = (mark.sequence, mark.hash)
        return records.map { record in
            let item = AuditItem(record, after: hash)
            if record.event.sequence != sequence + 1
                || SHA256.hash(record.event.encoded(after: hash)).bytes != record.hash
            {
                context.log.error(
                    "the audit log was changed: an event does not fit the one before it",
                    ["chain": .text(mark.scope.key), "sequence": .integer(Int(sequence + 1))]
                )
            }
            (sequence, hash) = (record.event.sequence, record.hash)
            return item
        }
    }

    private func keep(_ mark: AuditCopies.Mark, from old: AuditCopies.Mark, at destination: String) async throws {
        guard mark != old else { return }
        let now = effects.now()
        try await database.write { [copies] tx in
            try Failpoint.reach(.auditCopyMark)
            try copies.advance(mark, at: destination, now: now, in: tx)
        }
        try Failpoint.reach(.auditCopyMarked)
    }
}

/// The table takes nothing more now; no other chain would fare better.
private struct CopyStopped: Error {
    /// How many events of the chain it has taken.
    let copied: Int
    let cause: ServiceError
}

extension AuditCopies.Mark {
    fileprivate init(_ scope: AuditEvent.Scope, _ item: AuditItem) {
        self.init(scope, sequence: item.event.sequence, hash: item.hash)
    }
}

extension ServiceError {
    fileprivate static func chainEnds(_ mark: AuditCopies.Mark) -> ServiceError {
        ServiceError(
            .internalError,
            "The audit log was changed: chain \(mark.scope.key) has no events behind number \(mark.sequence)",
            cause: ChainEnds()
        )
    }

    fileprivate var isOfChain: Bool { cause is ChainEnds }
}

private struct ChainEnds: Error {}
