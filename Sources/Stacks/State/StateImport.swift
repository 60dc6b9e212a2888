import Events
package import Kernel
import Persistence
import StateStore

/// Puts a state in the place of a stack's state in one step: an import, or the state a stack is made with.
package struct StateImport: Sendable {
    private static let deadline = Duration.seconds(60)

    private let effects: Effects
    private let texts: StateTexts
    private let compute: BlockingPool
    private let hold: StackHold
    private let audit: AuditLog
    private let stacks = StackStore()
    private let updates = UpdateStore()
    private let versions = StateVersionStore()
    private let references = StackReferenceStore()

    package init(effects: Effects, texts: StateTexts, compute: BlockingPool, hold: StackHold) {
        self.effects = effects
        self.texts = texts
        self.compute = compute
        self.hold = hold
        audit = AuditLog(effects: effects)
    }

    /// Imports a state as the stack's next version.
    ///
    /// - Parameter body: an `UntypedDeployment`; its bytes become the state as they are.
    /// - Returns: the update that history shows for it.
    package func importState(_ body: [UInt8], into ref: StackRef, by actor: Actor) async throws -> Update {
        let content = try await compute.run(deadline: Self.deadline) { try Self.check(body, for: ref) }
        let count = content.resourceCount
        let id: UpdateID = effects.id()
        let stack = try await hold.write(ref) { stack, _ in stack }
        let text = try await texts.store(body, of: stack.id, resourceCount: count)
        return try await hold.write(ref) { [self] stack, tx in
            let now = effects.now()
            let update = Update.finished(id, .importState, of: stack, by: actor, resourceCount: count, at: now)
            try updates.insert(update, in: tx)
            let version = StateVersion(version: update.version, update: id, text: text, createdAt: now)
            try versions.insert(version, of: stack.id, in: tx)
            try references.replace(content.references, of: stack.id, in: tx)
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
    }

    /// What is recorded of a state beside its text.
    struct Content: Sendable {
        var resourceCount: Int
        var references: [StackRef]
    }

    /// Checks a state that somebody hands in whole, and takes from it what is recorded.
    ///
    /// - Throws: `.invalidArgument` for what is no state, and for secrets that this stack's key cannot read.
    static func check(_ body: [UInt8], for ref: StackRef) throws -> Content {
        do {
            let document = try StateDocument(reading: body[...])
            try document.checkImport(into: StackNames(ref))
            return Content(resourceCount: document.resourceCount, references: document.references(readBy: ref))
        } catch {
            throw error.serviceError
        }
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
