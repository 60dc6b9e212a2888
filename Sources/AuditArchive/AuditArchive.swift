package import CloudAccess
package import Jobs
package import Kernel
package import OutboundHTTP
package import Persistence
package import Telemetry

/// The audit log outside of the database: the table, and the job that brings every event there.
///
/// Events are written where the change is that they tell of, in its transaction; so there is none without the other, and
/// nothing fails or waits while the table is away.
package struct AuditArchive: Sendable {
    package let table: DynamoAuditTable

    package init(_ table: DynamoAuditTable) {
        self.table = table
    }

    /// Opens the table that the settings name; nil when they name none.
    ///
    /// - Throws: what `DynamoAuditTable.open` throws.
    package static func open(
        _ configuration: AuditArchiveConfiguration,
        aws: AWSConfiguration,
        client: ServiceClient,
        effects: Effects,
        clock: any Clock<Duration>
    ) async throws -> AuditArchive? {
        guard let name = configuration.table else { return nil }
        let table = try await DynamoAuditTable.open(name, aws: aws, client: client, effects: effects, clock: clock)
        return AuditArchive(table)
    }

    /// What the runner of jobs has to know.
    package func job(database: Database, effects: Effects, metrics: MetricsRegistry) -> JobRunner.Kind {
        let metrics = AuditArchiveMetrics(registry: metrics)
        return JobRunner.Kind(CopyAuditEventsJob(table, database: database, effects: effects, metrics: metrics))
    }

    /// What it has to know where the settings name no table: the schedule of an earlier start stays, for it may be that of
    /// another process, which has the setting already.
    package static var absent: JobRunner.Kind {
        JobRunner.Kind(name: CopyAuditEventsJob.kind, retry: CopyAuditEventsJob.retry) { _, _ in
            .again(after: .seconds(60))
        }
    }

    /// Puts the schedule into the database, unless it is there.
    package static func schedule(with queue: JobQueue, in tx: Transaction) throws {
        try queue.schedule(CopyAuditEventsJob.self, in: tx)
    }
}
