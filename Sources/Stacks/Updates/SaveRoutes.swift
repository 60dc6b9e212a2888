import Contract
package import HTTPAPI
import Kernel
import StateStore

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
        checkpoint(Operations.PatchUpdateCheckpointUpdate.self, .plain, on: &routes)
        checkpoint(Operations.PatchUpdateCheckpointRefresh.self, .plain, on: &routes)
        checkpoint(Operations.PatchUpdateCheckpointDestroy.self, .plain, on: &routes)
        checkpoint(Operations.PatchUpdateVerbatimCheckpointUpdate.self, .verbatim, on: &routes)
        checkpoint(Operations.PatchUpdateVerbatimCheckpointRefresh.self, .verbatim, on: &routes)
        checkpoint(Operations.PatchUpdateVerbatimCheckpointDestroy.self, .verbatim, on: &routes)
        delta(Operations.PatchUpdateCheckpointDeltaUpdate.self, on: &routes)
        delta(Operations.PatchUpdateCheckpointDeltaRefresh.self, on: &routes)
        delta(Operations.PatchUpdateCheckpointDeltaDestroy.self, on: &routes)
        entries(Operations.CreateJournalEntriesUpdate.self, on: &routes)
        entries(Operations.CreateJournalEntriesPreview.self, on: &routes)
        entries(Operations.CreateJournalEntriesRefresh.self, on: &routes)
        entries(Operations.CreateJournalEntriesDestroy.self, on: &routes)
    }

    private func checkpoint<Op: APIOperation>(
        _ operation: Op.Type,
        _ form: CheckpointReader.Form,
        on routes: inout RouteTable
    ) where Op.Path == UpdatePath, Op.Body == RawJSONBody, Op.Output == NoContent {
        routes.mutation(operation, access: .updateLease, unaudited: Self.reason) { (call: Call<Op>) in
            let (update, stack) = (try call.path.update(), try call.requireStack())
            try await checkpoints.save(call.content.received, as: form, of: update, stack: stack)
            return NoContent()
        }
    }

    private func delta<Op: APIOperation>(_ operation: Op.Type, on routes: inout RouteTable)
    where Op.Path == UpdatePath, Op.Body == RawJSONBody, Op.Output == NoContent {
        routes.mutation(operation, access: .updateLease, unaudited: Self.reason) { (call: Call<Op>) in
            let body = try await call.content.collectReceived()
            try await checkpoints.saveDelta(body, of: try call.path.update(), stack: try call.requireStack())
            return NoContent()
        }
    }

    private func entries<Op: APIOperation>(_ operation: Op.Type, on routes: inout RouteTable)
    where Op.Path == UpdatePath, Op.Body == RawJSONBody, Op.Output == NoContent {
        routes.mutation(operation, access: .updateLease, unaudited: Self.reason) { (call: Call<Op>) in
            let (update, stack) = (try call.path.update(), try call.requireStack())
            try await journal.append(call.content.received, to: update, of: stack)
            return NoContent()
        }
    }
}
