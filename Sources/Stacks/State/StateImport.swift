import Events
package import Kernel
import Persistence
import StateStore

/// Puts a state in the place of a stack's state in one step: an import, or the state a stack is made with.
package struct StateImport: Sendable {
    private let effects: Effects
    private let writer: VersionWriter
    private let hold: StackHold
    private let audit: AuditLog
    private let stacks = StackStore()
    private let updates = UpdateStore()
    private let versions = StateVersionStore()
    private let references = StackReferenceStore()

    package init(effects: Effects, writer: VersionWriter, hold: StackHold) {
        self.effects = effects
        self.writer = writer
        self.hold = hold
        audit = AuditLog(effects: effects)
    }

    /// Imports a state as the stack's next version.
    ///
    /// - Parameter body: an `UntypedDeployment`, gzip or plain; its bytes become the state as they are.
    /// - Returns: the update that history shows for it.
    /// - Throws: `.invalidArgument` for what is no state, and for secrets that this stack's key cannot read.
    package func importState<Body: AsyncSequence>(
        _ body: Body,
        into ref: StackRef,
        by actor: Actor
    ) async throws -> Update where Body.Element == ArraySlice<UInt8> {
        let id: UpdateID = effects.id()
        let stack = try await hold.write(ref) { stack, _ in stack }
        // Over nothing: an import is the way to bring back a state of which stored bytes are damaged.
        let version = try await writer.write(
            body,
            over: nil,
            of: stack.id,
            importedInto: [StackNames(ref)]
        )
        let count = version.resourceCount
        try Failpoint.reach(.importPrepared)
        let imported = try await hold.write(ref) { [self] stack, tx in
            let now = effects.now()
            let update = Update.finished(id, .importState, of: stack, by: actor, resourceCount: count, at: now)
            try updates.insert(update, in: tx)
            try versions.insert(version, as: update.version, of: stack.id, by: id, at: now, in: tx)
            try references.replace(version.references(readBy: ref), of: stack.id, in: tx)
            try Failpoint.reach(.importInserted)
            try stacks.advance(
                stack.id,
                version: update.version,
                update: id,
                resourceCount: count,
                at: now,
                in: tx
            )
            try audit.append(
                .stackImported,
                on: ref.description,
                in: .organization(stack.organization),
                by: actor,
                at: now,
                details: [AuditEvent.Detail("version", String(update.version))],
                tx: tx
            )
            return update
        }
        try Failpoint.reach(.importSaved)
        return imported
    }
}

extension StackNames {
    /// The names of a stack as its state has them.
    init(_ ref: StackRef) {
        self.init(
            organization: ref.organization.rawValue,
            project: ref.project.rawValue,
            stack: ref.name.rawValue
        )
    }
}

extension Update {
    /// An entry of history for what was done in one step.
    static func finished(
        _ id: UpdateID,
        _ kind: UpdateKind,
        of stack: Stack,
        by actor: Actor,
        resourceCount: Int,
        at now: Timestamp
    ) -> Update {
        Update(
            id: id,
            stack: stack.id,
            kind: kind,
            isPreview: false,
            status: .succeeded,
            isExpired: false,
            version: stack.version + 1,
            generation: stack.generation,
            journalVersion: 0,
            requestedBy: actor.userID,
            requestedLogin: actor.login,
            program: UpdateProgram(),
            resourceCount: resourceCount,
            createdAt: now,
            startedAt: now,
            endedAt: now
        )
    }
}
