import Contract
package import HTTPAPI
import Kernel
import StateStore

/// `begin-update`: make and start in one request, with what the client would ask for next (`spec/cli-observed.md` 4).
package struct BeginUpdateRoutes: RouteGroup {
    private let beginning: UpdateBeginning

    package init(_ beginning: UpdateBeginning) {
        self.beginning = beginning
    }

    package func register(on routes: inout RouteTable) {
        routes.mutation(
            Operations.BeginUpdate.self,
            access: .stack(.read),
            audit: .updateStarted,
            options: RouteOptions(limits: UpdateRoutes.programLimits),
            handler: beginUpdate
        )
    }

    func beginUpdate(_ call: Call<Operations.BeginUpdate>) async throws -> AppBeginUpdateResponse {
        let ref = try call.path.stack()
        guard let program = call.body.program else { throw ServiceError.missing("program") }
        guard let kind = call.body.updateKind.flatMap({ UpdateKind(rawValue: $0.rawValue) }),
            [.update, .preview, .refresh, .destroy].contains(kind)
        else { throw ServiceError.invalid("updateKind", "is update, preview, refresh or destroy") }
        let begun = try await beginning.begin(
            kind,
            isPreview: kind == .preview || program.options?.dryRun == true,
            of: ref,
            program: UpdateProgram(program),
            UpdateService.Start(
                tags: call.body.tags,
                journalVersion: call.body.journalVersion,
                clientVersion: ClientVersion.read(call.context.header("User-Agent"))
            ),
            by: call.actor
        )
        let started = begun.update
        let journal = started.update.journalVersion
        return AppBeginUpdateResponse(
            updateID: started.update.id.description,
            version: started.update.version,
            token: started.token,
            tokenExpiration: Int(started.expiresAt.seconds),
            journalVersion: journal > 0 ? journal : nil,
            aiSettings: AppAISettingsForUpdate(copilotIsEnabled: false),
            deployment: RawJSON(unchecked: begun.state.joined()),
            stack: AppStack(begun.stack)
        )
    }
}
