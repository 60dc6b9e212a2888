import Contract
package import HTTPAPI
import Kernel

/// History of stacks: their numbered updates, and their previews.
package struct HistoryRoutes: RouteGroup {
    private static let standardSize = 10
    private static let largestSize = 1000

    private let history: HistoryService

    package init(history: HistoryService) {
        self.history = history
    }

    package func register(on routes: inout RouteTable) {
        routes.query(Operations.GetStackUpdates.self, access: .stack(.read), handler: list)
        routes.query(Operations.GetLatestStackUpdate.self, access: .stack(.read), handler: latest)
        routes.query(Operations.GetStackUpdate.self, access: .stack(.read), handler: version)
        routes.query(Operations.GetStackUpdateSummary.self, access: .stack(.read), handler: summary)
        routes.query(Operations.GetLatestStackPreviews.self, access: .stack(.read), handler: latestPreviews)
        routes.query(Operations.GetStackPreviews.self, access: .stack(.read), handler: previews)
        routes.query(Operations.GetLatestUpdateTimeline.self, access: .stack(.read), handler: latestTimeline)
        routes.query(Operations.GetUpdateTimeline.self, access: .stack(.read), handler: timeline)
        routes.query(Operations.GetStackActivity.self, access: .stack(.read), handler: activity)
        routes.query(Operations.GetStackPreview.self, access: .stack(.read), handler: preview)
        routes.query(Operations.GetStackPreviewSummary.self, access: .stack(.read), handler: previewSummary)
    }

    /// Two shapes (`spec/rest-wider.md` §19): the CLI's list of plain entries, and with `output-type` a page for consoles.
    func list(_ call: Call<Operations.GetStackUpdates>) async throws -> RawOutput {
        let (page, size) = try Self.page(call.query.page, call.query.pageSize, whenAbsent: 0)
        let (entries, total) = try await history.list(try call.path.stack(), page: page, size: size)
        var json = JSONWriter(reserving: 4096)
        if call.query.outputType == nil {
            json.beginObject()
            json.field("updates", list: try entries.map { try AppUpdateInfo($0) })
            json.endObject()
        } else {
            let response = GetStackUpdatesResponse(
                updates: try entries.map { try UpdateInfo($0) },
                itemsPerPage: size,
                total: total
            )
            response.write(to: &json)
        }
        return RawOutput(contentType: "application/json", .bytes(try json.finish()))
    }

    func latest(_ call: Call<Operations.GetLatestStackUpdate>) async throws -> UpdateInfo {
        try UpdateInfo(try await history.latest(try call.path.stack()))
    }

    func version(_ call: Call<Operations.GetStackUpdate>) async throws -> UpdateInfo {
        try UpdateInfo(try await history.version(try Self.number(call.path.version), of: try call.path.stack()))
    }

    func summary(_ call: Call<Operations.GetStackUpdateSummary>) async throws -> StackUpdateSummary {
        let entry = try await history.version(try Self.number(call.path.version), of: try call.path.stack())
        return StackUpdateSummary(entry.update)
    }

    func latestPreviews(_ call: Call<Operations.GetLatestStackPreviews>) async throws -> GetStackUpdatesResponse {
        try await previews(.all, of: try call.path.stack(), call.query)
    }

    func previews(_ call: Call<Operations.GetStackPreviews>) async throws -> GetStackUpdatesResponse {
        let version = try Self.number(call.path.version)
        return try await previews(.after(version: version), of: try call.path.stack(), call.query)
    }

    /// Oldest first unless the client says otherwise (`spec/rest-wider.md` §19).
    private func previews(
        _ which: HistoryService.Previews,
        of stack: StackRef,
        _ query: GetLatestStackPreviewsQuery
    ) async throws -> GetStackUpdatesResponse {
        let (page, size) = try Self.page(query.page, query.pageSize, whenAbsent: 1)
        let (entries, total) = try await history.previews(
            which,
            of: stack,
            isAscending: query.asc ?? true,
            page: page,
            size: size
        )
        return GetStackUpdatesResponse(
            updates: try entries.map { try UpdateInfo($0) },
            itemsPerPage: size,
            total: total
        )
    }

    func latestTimeline(_ call: Call<Operations.GetLatestUpdateTimeline>) async throws -> GetUpdateTimelineResponse {
        try GetUpdateTimelineResponse(try await history.timeline(of: nil, try call.path.stack()))
    }

    func timeline(_ call: Call<Operations.GetUpdateTimeline>) async throws -> GetUpdateTimelineResponse {
        let version = try Self.number(call.path.version)
        return try GetUpdateTimelineResponse(try await history.timeline(of: version, try call.path.stack()))
    }

    /// Nothing but updates happens to a stack yet; deployments join them here when there are any.
    func activity(_ call: Call<Operations.GetStackActivity>) async throws -> GetStackActivityResponse {
        let (page, size) = try Self.page(call.query.page, call.query.pageSize, whenAbsent: 0)
        let (entries, total) = try await history.list(try call.path.stack(), page: page, size: size)
        return GetStackActivityResponse(
            activity: try entries.map { Activity(update: try UpdateInfo($0)) },
            itemsPerPage: size,
            total: total
        )
    }

    func preview(_ call: Call<Operations.GetStackPreview>) async throws -> UpdateInfo {
        try UpdateInfo(try await history.preview(try call.path.update(), of: try call.path.stack()))
    }

    func previewSummary(_ call: Call<Operations.GetStackPreviewSummary>) async throws -> StackUpdateSummary {
        let entry = try await history.preview(try call.path.update(), of: try call.path.stack())
        return StackUpdateSummary(entry.update)
    }

    static func number(_ text: String) throws -> Int {
        guard let number = Int(text), number > 0 else { throw ServiceError.versionInvalid }
        return number
    }

    /// Page 0 is everything.
    private static func page(_ page: Int?, _ size: Int?, whenAbsent: Int) throws -> (page: Int, size: Int) {
        let page = page ?? (size == nil ? whenAbsent : 1)
        guard page >= 0 else { throw ServiceError(.invalidArgument, "Invalid 'page' value.") }
        let size = size ?? standardSize
        guard (0...largestSize).contains(size) else {
            throw ServiceError(.invalidArgument, "Invalid 'pageSize' value.")
        }
        return (page, size == 0 ? standardSize : size)
    }
}

extension AppUpdateInfo {
    init(_ entry: HistoryEntry) throws {
        let update = entry.update
        self.init(
            kind: AppUpdateKind(rawValue: update.kind.rawValue),
            startTime: Int((update.startedAt ?? update.createdAt).seconds),
            message: update.program.message,
            environment: try [String: String].decode(JSONValue.parse(Array(update.program.environment.utf8))),
            config: try [String: AppConfigValue].decode(JSONValue.parse(Array(update.program.config.utf8))),
            result: update.result,
            endTime: update.endedAt.map { Int($0.seconds) } ?? 0,
            version: update.version,
            resourceChanges: try update.resourceChanges.map { text in
                try [String: Int].decode(JSONValue.parse(Array(text.utf8)))
            },
            resourceCount: update.resourceCount
        )
    }
}

extension UpdateInfo {
    init(_ entry: HistoryEntry) throws {
        self.init(
            info: try AppUpdateInfo(entry),
            updateID: entry.update.id.description,
            version: entry.update.version,
            latestVersion: entry.latestVersion,
            requestedBy: UserInfo(entry.requester)
        )
    }
}

extension GetUpdateTimelineResponse {
    fileprivate init(_ timeline: UpdateTimeline) throws {
        self.init(
            update: try UpdateInfo(timeline.update),
            collatedUpdateEvents: try timeline.attempts.map { try UpdateInfo($0) },
            previews: try timeline.previews.map { try UpdateInfo($0) }
        )
    }
}

extension StackUpdateSummary {
    init(_ update: Update) {
        self.init(
            result: update.result,
            startTime: Int((update.startedAt ?? update.createdAt).seconds),
            endTime: update.endedAt.map { Int($0.seconds) } ?? 0,
            resourceCount: update.resourceCount ?? 0
        )
    }
}

extension Update {
    /// History's word for the status; what was cancelled or timed out counts as failed (`spec/cli-protocol.md` §14.1).
    var result: AppUpdateResult {
        switch status {
        case .notStarted: .notStarted
        case .running: .inProgress
        case .succeeded: .succeeded
        case .failed, .cancelled: .failed
        }
    }
}
