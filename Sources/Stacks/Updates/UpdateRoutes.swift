import Contract
package import HTTPAPI
import Kernel

/// The life of updates.
///
/// The contract has one set of paths for each kind; clients use that of `update` for all of them, so the kind in a path
/// counts only when an update is made (`spec/cli-protocol.md` §10.1). Whoever may read a stack may preview it, and only the
/// body or the row says what is a preview: `UpdateService` asks for the right to write where one is needed.
package struct UpdateRoutes: RouteGroup {
    /// Configurations and commit messages can be long (`spec/cli-protocol.md` §17).
    static let programLimits = BodyLimits(16 << 20)

    private let updates: UpdateService

    package init(updates: UpdateService) {
        self.updates = updates
    }

    package func register(on routes: inout RouteTable) {
        create(Operations.CreateUpdateForUpdate.self, .update, on: &routes)
        create(Operations.CreateUpdateForPreview.self, .preview, on: &routes)
        create(Operations.CreateUpdateForRefresh.self, .refresh, on: &routes)
        create(Operations.CreateUpdateForDestroy.self, .destroy, on: &routes)
        start(Operations.StartUpdateForUpdate.self, on: &routes)
        start(Operations.StartUpdateForPreview.self, on: &routes)
        start(Operations.StartUpdateForRefresh.self, on: &routes)
        start(Operations.StartUpdateForDestroy.self, on: &routes)
        status(Operations.GetUpdateStatusForUpdate.self, on: &routes)
        status(Operations.GetUpdateStatusForPreview.self, on: &routes)
        status(Operations.GetUpdateStatusForRefresh.self, on: &routes)
        status(Operations.GetUpdateStatusForDestroy.self, on: &routes)
        cancel(Operations.CancelUpdateUpdate.self, on: &routes)
        cancel(Operations.CancelUpdatePreview.self, on: &routes)
        cancel(Operations.CancelUpdateRefresh.self, on: &routes)
        cancel(Operations.CancelUpdateDestroy.self, on: &routes)
        renew(Operations.RenewUpdateLeaseUpdate.self, on: &routes)
        renew(Operations.RenewUpdateLeasePreview.self, on: &routes)
        renew(Operations.RenewUpdateLeaseRefresh.self, on: &routes)
        renew(Operations.RenewUpdateLeaseDestroy.self, on: &routes)
        complete(Operations.CompleteUpdateUpdate.self, on: &routes)
        complete(Operations.CompleteUpdatePreview.self, on: &routes)
        complete(Operations.CompleteUpdateRefresh.self, on: &routes)
        complete(Operations.CompleteUpdateDestroy.self, on: &routes)
    }

    private func create<Op: APIOperation>(_ operation: Op.Type, _ kind: UpdateKind, on routes: inout RouteTable)
    where Op.Path == StackPath, Op.Body == AppUpdateProgramRequest, Op.Output == AppUpdateProgramResponse {
        routes.mutation(
            operation,
            access: .stack(.read),
            audit: .updateCreated,
            options: RouteOptions(limits: Self.programLimits)
        ) { (call: Call<Op>) in
            let isPreview = kind == .preview || call.body.options?.dryRun == true
            let update = try await updates.create(
                kind,
                isPreview: isPreview,
                of: try call.path.stack(),
                program: UpdateProgram(call.body),
                by: call.actor
            )
            return AppUpdateProgramResponse(updateID: update.id.description)
        }
    }

    private func start<Op: APIOperation>(_ operation: Op.Type, on routes: inout RouteTable)
    where Op.Path == UpdatePath, Op.Body == AppStartUpdateRequest, Op.Output == AppStartUpdateResponse {
        routes.mutation(
            operation,
            access: .stack(.read),
            audit: .updateStarted,
            options: RouteOptions(takesEmptyBody: true)
        ) { (call: Call<Op>) in
            let start = UpdateService.Start(
                tags: call.body.tags,
                journalVersion: call.body.journalVersion,
                clientVersion: ClientVersion.read(call.context.header("User-Agent"))
            )
            let started = try await updates.start(
                try call.path.update(),
                of: try call.path.stack(),
                start,
                by: call.actor
            )
            return AppStartUpdateResponse(started)
        }
    }

    private func status<Op: APIOperation>(_ operation: Op.Type, on routes: inout RouteTable)
    where Op.Path == UpdatePath, Op.Body == NoBody, Op.Output == AppUpdateResults {
        routes.query(operation, access: .stack(.read)) { (call: Call<Op>) in
            let update = try await updates.get(try call.path.update(), of: try call.path.stack())
            let status = AppUpdateStatus(rawValue: update.status.rawValue)
            // A running one is asked for again; an ended one has no more to say.
            let token = update.status.isEnd ? nil : "0"
            return AppUpdateResults(status: status, events: [], continuationToken: token)
        }
    }

    private func cancel<Op: APIOperation>(_ operation: Op.Type, on routes: inout RouteTable)
    where Op.Path == UpdatePath, Op.Body == NoBody, Op.Output == NoContent {
        routes.mutation(operation, access: .stack(.cancelUpdate), audit: .updateCanceled) { (call: Call<Op>) in
            try await updates.cancel(try call.path.update(), of: try call.path.stack(), by: call.actor)
            return NoContent()
        }
    }

    private func renew<Op: APIOperation>(_ operation: Op.Type, on routes: inout RouteTable)
    where Op.Path == UpdatePath, Op.Body == AppRenewUpdateLeaseRequest, Op.Output == AppRenewUpdateLeaseResponse {
        routes.mutation(
            operation,
            access: .updateLease,
            unaudited: "a step of an update whose start and end are audited"
        ) { (call: Call<Op>) in
            let end = try await updates.renew(
                try call.path.update(),
                of: try call.requireStack(),
                duration: call.body.duration ?? 0
            )
            let token = try Credential.read(call.context.headerValues("Authorization"))
            return AppRenewUpdateLeaseResponse(
                token: token?.secret.reveal() ?? "",
                tokenExpiration: Int(end.seconds)
            )
        }
    }

    private func complete<Op: APIOperation>(_ operation: Op.Type, on routes: inout RouteTable)
    where Op.Path == UpdatePath, Op.Body == AppCompleteUpdateRequest, Op.Output == NoContent {
        routes.mutation(operation, access: .updateLease, audit: .updateCompleted) { (call: Call<Op>) in
            try await updates.complete(
                try call.path.update(),
                of: try call.requireStack(),
                status: call.body.status.rawValue,
                by: call.actor
            )
            return NoContent()
        }
    }
}

extension UpdateProgram {
    /// What the client says about its program; maps are written as JSON again, with sorted keys.
    init(_ request: AppUpdateProgramRequest) throws {
        self.init(
            program: try Self.json { json in
                json.beginObject()
                json.field("name", string: request.name)
                json.field("runtime", string: request.runtime)
                json.field("main", string: request.main)
                json.field("description", string: request.description)
                json.endObject()
            },
            config: try Self.json { (request.config ?? [:]).write(to: &$0) },
            message: request.metadata?.message ?? "",
            environment: try Self.json { (request.metadata?.environment ?? [:]).write(to: &$0) }
        )
    }

    private static func json(_ write: (inout JSONWriter) -> Void) throws -> String {
        var json = JSONWriter(reserving: 256)
        write(&json)
        return String(decoding: try json.finish(), as: UTF8.self)
    }
}

extension AppStartUpdateResponse {
    fileprivate init(_ started: StartedUpdate) {
        let journal = started.update.journalVersion
        self.init(
            version: started.update.version,
            token: started.token,
            tokenExpiration: Int(started.expiresAt.seconds),
            journalVersion: journal > 0 ? journal : nil
        )
    }
}

/// The version of the CLI, as its `User-Agent` says: `pulumi-cli/1 (v3.259.0; linux)`.
enum ClientVersion {
    static func read(_ header: String?) -> String? {
        guard let header, let start = header.firstIndex(of: "("), header.hasPrefix("pulumi-cli/") else { return nil }
        let version = header[header.index(after: start)...].prefix { $0 != ";" && $0 != ")" }
        let isPlain = version.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        guard !version.isEmpty, version.utf8.count <= 80, isPlain else { return nil }
        return String(version)
    }
}
