import Contract
package import HTTPAPI
import Kernel

/// What a running update saves: checkpoints in three forms, and batches of its journal.
package struct SaveRoutes: RouteGroup {
    private static let reason = "a step of an update whose start and end are audited"

    private let checkpoints: CheckpointService
    private let journal: JournalService

    package init(checkpoints: CheckpointService, journal: JournalService) {
        self.checkpoints = checkpoints
        self.journal = journal
    }

    package func register(on routes: inout RouteTable) {
        checkpoint(Operations.PatchUpdateCheckpointUpdate.self, CheckpointBody.plain, on: &routes)
        checkpoint(Operations.PatchUpdateCheckpointRefresh.self, CheckpointBody.plain, on: &routes)
        checkpoint(Operations.PatchUpdateCheckpointDestroy.self, CheckpointBody.plain, on: &routes)
        checkpoint(Operations.PatchUpdateVerbatimCheckpointUpdate.self, CheckpointBody.verbatim, on: &routes)
        checkpoint(Operations.PatchUpdateVerbatimCheckpointRefresh.self, CheckpointBody.verbatim, on: &routes)
        checkpoint(Operations.PatchUpdateVerbatimCheckpointDestroy.self, CheckpointBody.verbatim, on: &routes)
        checkpoint(Operations.PatchUpdateCheckpointDeltaUpdate.self, CheckpointBody.delta, on: &routes)
        checkpoint(Operations.PatchUpdateCheckpointDeltaRefresh.self, CheckpointBody.delta, on: &routes)
        checkpoint(Operations.PatchUpdateCheckpointDeltaDestroy.self, CheckpointBody.delta, on: &routes)
        entries(Operations.CreateJournalEntriesUpdate.self, on: &routes)
        entries(Operations.CreateJournalEntriesPreview.self, on: &routes)
        entries(Operations.CreateJournalEntriesRefresh.self, on: &routes)
        entries(Operations.CreateJournalEntriesDestroy.self, on: &routes)
    }

    private func checkpoint<Op: APIOperation>(
        _ operation: Op.Type,
        _ read: @escaping @Sendable ([UInt8]) throws -> CheckpointBody,
        on routes: inout RouteTable
    ) where Op.Path == UpdatePath, Op.Body == RawJSONBody, Op.Output == NoContent {
        routes.mutation(operation, access: .updateLease, unaudited: Self.reason) { (call: Call<Op>) in
            let body = try await call.content.collect()
            try await checkpoints.save(
                body,
                of: try call.path.update(),
                stack: try call.requireStack(),
                reading: read
            )
            return NoContent()
        }
    }

    private func entries<Op: APIOperation>(_ operation: Op.Type, on routes: inout RouteTable)
    where Op.Path == UpdatePath, Op.Body == RawJSONBody, Op.Output == NoContent {
        routes.mutation(operation, access: .updateLease, unaudited: Self.reason) { (call: Call<Op>) in
            let body = try await call.content.collectBatch()
            try await journal.append(body, to: try call.path.update(), of: try call.requireStack())
            return NoContent()
        }
    }
}
