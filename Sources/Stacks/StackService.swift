import Events
package import Kernel
package import Persistence
import StateStore

/// What a stack is made with.
package struct StackCreation: Sendable {
    package var ref: StackRef
    package var tags: [String: String]
    /// Names of teams that get access.
    package var teams: [String]
    /// The state it begins with, as an `UntypedDeployment`; nil for none.
    package var state: [UInt8]?
    package var configuration: StackConfiguration?

    package init(
        ref: StackRef,
        tags: [String: String] = [:],
        teams: [String] = [],
        state: [UInt8]? = nil,
        configuration: StackConfiguration? = nil
    ) {
        self.ref = ref
        self.tags = tags
        self.teams = teams
        self.state = state
        self.configuration = configuration
    }
}

/// A stack with what a reader of it wants to know.
package struct StackView: Sendable {
    package var stack: Stack
    package var tags: StackTags
    /// The update that holds the stack; nil when none does.
    package var running: Update?
}

/// Rules of stacks: made, read, renamed, deleted.
package struct StackService: Sendable {
    private let database: Database
    private let effects: Effects
    private let audit: AuditLog
    private let outbox = Outbox()
    private let stacks = StackStore()
    private let list = StackListStore()
    private let tags = StackTagStore()
    private let updates = UpdateStore()
    private let versions = StateVersionStore()
    private let references = StackReferenceStore()
    private let writer: VersionWriter
    private let reader: StateReader
    private let hold: StackHold

    package init(database: Database, effects: Effects, writer: VersionWriter, reader: StateReader, hold: StackHold) {
        self.database = database
        self.effects = effects
        self.writer = writer
        self.reader = reader
        self.hold = hold
        audit = AuditLog(effects: effects)
    }

    /// Makes a stack, and with its first stack the project.
    ///
    /// The maker gets an administrator's grant on it. Commits together with the audit event.
    ///
    /// - Throws: `.conflict` when there is one of that name; `.invalidArgument` for bad tags or unknown teams.
    package func create(_ creation: StackCreation, by actor: Actor) async throws -> Stack {
        let creationTags = try StackTags(creation.tags)
        try creation.configuration?.validate()
        if let team = creation.teams.first { throw ServiceError.teamUnknown(team) }
        let now = effects.now()
        let id: StackID = effects.id()
        let ref = creation.ref
        let state = try await initialState(creation, of: id)
        try Failpoint.reach(.stackStateStored)
        let made = try await database.write { [self] tx in
            guard let organization = try stacks.findOrganization(ref.organization, in: tx) else {
                throw ServiceError.stackNotFound(ref)
            }
            guard try stacks.find(ref, in: tx) == nil else { throw ServiceError.stackExists(ref) }
            let stack = Stack(
                id: id,
                organization: organization,
                ref: ref,
                version: 0,
                generation: 0,
                activeUpdate: nil,
                runningUpdate: nil,
                resourceCount: nil,
                lastUpdateAt: nil,
                owner: actor.userID,
                createdAt: now,
                notifications: StackNotifications(),
                configuration: creation.configuration
            )
            do {
                try stacks.insert(stack, by: actor.userID, in: tx)
            } catch DatabaseError.duplicate {
                throw ServiceError.stackExists(ref)
            }
            try Failpoint.reach(.stackInserted)
            try stacks.forgetFormerName(ref, in: organization, tx: tx)
            try tags.replace(creationTags, of: id, in: tx)
            if let state {
                try versions.insert(state, as: 0, of: id, by: nil, at: now, in: tx)
                try references.replace(state.references(readBy: creation.ref), of: id, in: tx)
            }
            if let user = actor.userID { try stacks.grant(StackGrant.creator, on: id, to: user, at: now, in: tx) }
            try Failpoint.reach(.stackGranted)
            try record(.stackCreated, "stack.created", stack, by: actor, at: now, in: tx)
            return stack
        }
        try Failpoint.reach(.stackCreated)
        return made
    }

    /// The stack with its tags.
    package func get(_ ref: StackRef) async throws -> StackView {
        try await database.read { [self] tx in try get(ref, in: tx) }
    }

    /// Like `get`, in a transaction of the caller's.
    func get(_ ref: StackRef, in tx: Transaction) throws -> StackView {
        guard let stack = try stacks.find(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
        let running = try stack.runningUpdate.flatMap { try updates.find($0, of: stack.id, in: tx) }
        return StackView(stack: stack, tags: try tags.tags(of: stack.id, in: tx), running: running)
    }

    /// Whether a project has a stack.
    ///
    /// - Throws: `.notFound` when it has none.
    package func requireProject(_ project: ProjectRef) async throws {
        let exists = try await database.read { [stacks] tx in try stacks.projectExists(project, in: tx) }
        guard exists else { throw ServiceError.projectNotFound(project) }
    }

    /// The stacks the caller can read.
    package func list(
        filter: StackListFilter,
        page: PageRequest<StackRef>,
        by actor: Actor
    ) async throws -> Page<StackSummary> {
        guard let viewer = Viewer(actor) else { return Page(items: [], hasMore: false) }
        return try await database.read { [list] tx in
            let fetched = try list.page(
                visibleTo: viewer,
                filter: filter,
                after: page.after,
                limit: page.limit,
                in: tx
            )
            return Page(fetched: fetched, limit: page.limit)
        }
    }

    /// Deletes a stack; its name is free at once.
    ///
    /// - Parameter force: also with resources in its state.
    /// - Throws: `.invalidArgument` with the text that clients compare when resources are left.
    package func delete(_ ref: StackRef, force: Bool, by actor: Actor) async throws {
        // Before the question who holds the stack: a client that is told to force it must not be sent to wait first.
        if !force, try await reader.resourceCount(of: ref) > 0 { throw ServiceError.stackHasResources }
        let now = effects.now()
        try await hold.write(ref) { [self] stack, tx in
            guard force || (stack.resourceCount ?? 0) == 0 else { throw ServiceError.stackHasResources }
            try stacks.markDeleted(stack.id, at: now, in: tx)
            try Failpoint.reach(.stackMarkedDeleted)
            try updates.cancelPreviews(of: stack.id, at: now, in: tx)
            let details = [AuditEvent.Detail("force", force ? "true" : "false")]
            try record(.stackDeleted, "stack.deleted", stack, by: actor, at: now, details: details, in: tx)
        }
        try Failpoint.reach(.stackDeleted)
    }

    /// The state a stack is made with, durable before the row that names it.
    ///
    /// It is no version of its own and stands in no history.
    private func initialState(
        _ creation: StackCreation,
        of id: StackID
    ) async throws -> PreparedVersion? {
        guard let state = creation.state else { return nil }
        return try await writer.write([state[...]], over: nil, of: id, importedInto: [StackNames(creation.ref)])
    }

    private func record(
        _ action: AuditAction,
        _ kind: String,
        _ stack: Stack,
        by actor: Actor,
        at now: Timestamp,
        details: [AuditEvent.Detail] = [],
        in tx: Transaction
    ) throws {
        let event = DomainEvent(
            id: effects.id(),
            kind: kind,
            organization: stack.organization,
            payload: stack.id.description,
            at: now
        )
        try outbox.publish(event, in: tx)
        try audit.append(
            action,
            on: stack.ref.description,
            in: .organization(stack.organization),
            by: actor,
            at: now,
            details: details,
            tx: tx
        )
    }
}
