import Contract
package import HTTPAPI
import Kernel

/// Engine events of updates: written by their holder, read by everybody who may read the stack.
package struct EngineEventRoutes: RouteGroup {
    private static let reason = "a step of an update whose start and end are audited"
    /// 50 events with full inputs and outputs (`spec/cli-protocol.md` §17).
    private static let limits = BodyLimits(64 << 20)
    private static let paging = ContinuationPaging(operation: "getEngineEvents", standard: 1000, largest: 1000)

    private let events: EngineEventService

    package init(events: EngineEventService) {
        self.events = events
    }

    package func register(on routes: inout RouteTable) {
        batch(Operations.RecordEngineEventBatchUpdate.self, on: &routes)
        batch(Operations.RecordEngineEventBatchPreview.self, on: &routes)
        batch(Operations.RecordEngineEventBatchRefresh.self, on: &routes)
        batch(Operations.RecordEngineEventBatchDestroy.self, on: &routes)
        single(Operations.RecordEngineEventUpdate.self, on: &routes)
        single(Operations.RecordEngineEventPreview.self, on: &routes)
        single(Operations.RecordEngineEventRefresh.self, on: &routes)
        single(Operations.RecordEngineEventDestroy.self, on: &routes)
        read(Operations.GetEngineEventsUpdate.self, on: &routes)
        read(Operations.GetEngineEventsPreview.self, on: &routes)
        read(Operations.GetEngineEventsRefresh.self, on: &routes)
        read(Operations.GetEngineEventsDestroy.self, on: &routes)
        log(Operations.AppendUpdateLogEntryUpdate.self, on: &routes)
        log(Operations.AppendUpdateLogEntryPreview.self, on: &routes)
        log(Operations.AppendUpdateLogEntryRefresh.self, on: &routes)
        log(Operations.AppendUpdateLogEntryDestroy.self, on: &routes)
    }

    private func batch<Op: APIOperation>(_ operation: Op.Type, on routes: inout RouteTable)
    where Op.Path == UpdatePath, Op.Body == RawJSONBody, Op.Output == NoContent {
        let options = RouteOptions(limits: Self.limits)
        routes.mutation(operation, access: .updateLease, unaudited: Self.reason, options: options) {
            (call: Call<Op>) in
            try await append(call.content, isSingle: false, to: call.path.update(), of: call.requireStack())
        }
    }

    private func single<Op: APIOperation>(_ operation: Op.Type, on routes: inout RouteTable)
    where Op.Path == UpdatePath, Op.Body == RawJSONBody, Op.Output == NoContent {
        let options = RouteOptions(limits: Self.limits)
        routes.mutation(operation, access: .updateLease, unaudited: Self.reason, options: options) {
            (call: Call<Op>) in
            try await append(call.content, isSingle: true, to: call.path.update(), of: call.requireStack())
        }
    }

    private func append(
        _ content: IncomingBody,
        isSingle: Bool,
        to update: UpdateID,
        of stack: StackID
    ) async throws -> NoContent {
        try await events.append(
            try await content.collectReceived(),
            isSingle: isSingle,
            limit: content.limits.inflated,
            to: update,
            of: stack
        )
        return NoContent()
    }

    private func read<Op: APIOperation>(_ operation: Op.Type, on routes: inout RouteTable)
    where Op.Path == UpdatePath, Op.Query == EngineEventsQuery, Op.Body == NoBody, Op.Output == GetUpdateEventsResponse
    {
        routes.query(operation, access: .stack(.read)) { (call: Call<Op>) in
            let update = try call.path.update()
            // The codes of `type` are published nowhere, so that filter cannot be honoured and is passed over.
            let filter = [update.description, call.query.urn ?? ""]
            let after = try Self.paging.after(call.query.continuationToken, filter: filter) { values in
                values.first.flatMap { Int64($0) }
            }
            let (texts, next) = try await events.page(
                of: update,
                ref: try call.path.stack(),
                after: after,
                urn: call.query.urn,
                limit: 1000
            )
            let token = next.flatMap { next in
                Self.paging.token(Page(items: [next], hasMore: true), filter: filter) { [String($0)] }
            }
            return GetUpdateEventsResponse(
                events: texts.map { RawJSON(unchecked: $0) },
                continuationToken: token ?? Self.end(for: call.context.header("Accept"))
            )
        }
    }

    /// What says that there are no more: null for the CLI, which takes an empty text for a token; an empty text for the
    /// SDKs, which take the contract at its word and refuse null.
    private static func end(for accept: String?) -> String? {
        accept?.contains("vnd.pulumi") == true ? nil : ""
    }

    /// Very old clients send lines of text; newer ones send the same as events.
    ///
    /// Nothing reads them.
    private func log<Op: APIOperation>(_ operation: Op.Type, on routes: inout RouteTable)
    where Op.Path == UpdatePath, Op.Body == AppAppendUpdateLogEntryRequest, Op.Output == NoContent {
        routes.mutation(operation, access: .updateLease, unaudited: "nothing is kept: §10.12 of cli-protocol.md") {
            (call: Call<Op>) in
            NoContent()
        }
    }
}
