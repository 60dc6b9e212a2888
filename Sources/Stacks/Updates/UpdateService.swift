import Crypto
import Events
package import Kernel
package import Persistence

/// The answer to a start: what the client needs to go on.
package struct StartedUpdate: Sendable {
    package var update: Update
    /// The lease's token, shown this once.
    package var token: String
    package var expiresAt: Timestamp
}

/// The life of updates: made, started, kept alive, ended.
package struct UpdateService: Sendable {
    private let database: Database
    private let effects: Effects
    private let ending: UpdateEnding
    private let hold: StackHold
    private let audit: AuditLog
    private let stacks = StackStore()
    private let updates = UpdateStore()
    private let tags = StackTagStore()
    private let grants = StackGrantStore()

    package init(database: Database, effects: Effects, ending: UpdateEnding) {
        self.database = database
        self.effects = effects
        self.ending = ending
        hold = StackHold(database: database, effects: effects, ending: ending)
        audit = AuditLog(effects: effects)
    }

    /// Makes an update that may be started later.
    ///
    /// Takes no lock: two may be made, one of them started.
    package func create(
        _ kind: UpdateKind,
        isPreview: Bool,
        of ref: StackRef,
        program: UpdateProgram,
        by actor: Actor
    ) async throws -> Update {
        let now = effects.now()
        let id: UpdateID = effects.id()
        return try await database.write { [self] tx in
            guard let stack = try stacks.find(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
            let update = newUpdate(id, kind, isPreview: isPreview, of: stack, program: program, by: actor, at: now)
            try insert(update, of: stack, by: actor, at: now, in: tx)
            return update
        }
    }

    /// What a start asks for.
    package struct Start: Sendable {
        /// Replaces all tags; nil leaves them alone.
        package var tags: [String: String]?
        package var journalVersion: Int?
        package var clientVersion: String?

        package init(tags: [String: String]?, journalVersion: Int?, clientVersion: String?) {
            self.tags = tags
            self.journalVersion = journalVersion
            self.clientVersion = clientVersion
        }
    }

    /// Starts an update; one that is no preview takes the stack.
    ///
    /// An update whose lease ended long enough ago is ended first, with everything it saved.
    ///
    /// - Throws: `.conflict` naming the holder when another update runs.
    package func start(_ id: UpdateID, of ref: StackRef, _ start: Start, by actor: Actor) async throws -> StartedUpdate
    {
        let newTags = try start.tags.map { tags throws(ServiceError) in try StackTags(tags) }
        let lease = newLease()
        return try await hold.retrying {
            try await database.write { [self] tx in
                let now = effects.now()
                guard let stack = try stacks.lock(ref, in: tx),
                    let update = try updates.find(id, of: stack.id, in: tx)
                else { throw ServiceError.updateNotFound(id) }
                if !update.isPreview { try requireRight(toUpdate: stack, actor, in: tx) }
                return try begin(update, of: stack, start, newTags, lease, by: actor, at: now, in: tx)
            }
        }
    }

    /// Makes an update and starts it in one step: a refused one leaves nothing behind.
    ///
    /// - Parameter read: reads, in the same transaction and after the start, what its holder is told with it; what this
    ///   throws is a refusal too.
    /// - Throws: what `start` throws.
    package func createAndStart<Told: Sendable>(
        _ kind: UpdateKind,
        isPreview: Bool,
        of ref: StackRef,
        program: UpdateProgram,
        _ start: Start,
        by actor: Actor,
        reading read: @escaping @Sendable (Stack, Transaction) throws -> Told
    ) async throws -> (update: StartedUpdate, told: Told) {
        let newTags = try start.tags.map { tags throws(ServiceError) in try StackTags(tags) }
        let lease = newLease()
        let id: UpdateID = effects.id()
        let started = try await hold.retrying {
            try await database.write { [self] tx in
                let now = effects.now()
                guard let stack = try stacks.lock(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
                let update = newUpdate(id, kind, isPreview: isPreview, of: stack, program: program, by: actor, at: now)
                try insert(update, of: stack, by: actor, at: now, in: tx)
                let started = try begin(update, of: stack, start, newTags, lease, by: actor, at: now, in: tx)
                return (update: started, told: try read(stack, tx))
            }
        }
        try Failpoint.reach(.updateBegan)
        return started
    }

    /// Refuses early what starting an update would refuse; an update that holds the stack and is dead is ended.
    ///
    /// - Throws: what `start` throws.
    func requireStartable(_ ref: StackRef, isPreview: Bool, by actor: Actor) async throws {
        try await hold.retrying {
            try await database.read { [self] tx in
                guard let stack = try stacks.find(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
                guard !isPreview else { return }
                try requireRight(toUpdate: stack, actor, in: tx)
                try hold.requireFree(stack, at: effects.now(), in: tx)
            }
        }
    }

    /// Moves the end of a lease.
    ///
    /// The token stays the same for the whole update, so that a lost answer costs nothing.
    package func renew(_ id: UpdateID, of stack: StackID, duration: Int) async throws -> Timestamp {
        let length = try UpdateLifecycle.leaseLength(asked: duration)
        let renewed = try await database.write { [self] tx in
            guard try stacks.lock(stack, in: tx) != nil, let update = try updates.find(id, of: stack, in: tx) else {
                throw ServiceError.updateNotFound(id)
            }
            try UpdateLifecycle.requireRenewable(update)
            let end = effects.now().advanced(by: length)
            try updates.extendLease(of: id, to: end, in: tx)
            try Failpoint.reach(.leaseExtended)
            return end
        }
        try Failpoint.reach(.leaseRenewed)
        return renewed
    }

    /// Ends an update as its holder says.
    package func complete(_ id: UpdateID, of stack: StackID, status text: String, by actor: Actor) async throws {
        let status: UpdateStatus =
            switch text {
            case "succeeded": .succeeded
            case "failed": .failed
            case "cancelled", "canceled": .failed
            default: throw ServiceError.statusUnknown(text)
            }
        try await ending.end(id, of: stack, as: .completed(status), by: actor) { update in
            try UpdateLifecycle.completion(of: update, with: status) != .alreadyDone
        }
    }

    /// Ends an update for its holder; what it saved so far stays.
    package func cancel(_ id: UpdateID, of ref: StackRef, by actor: Actor) async throws {
        let stack = try await database.read { [stacks] tx in
            guard let stack = try stacks.find(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
            return stack.id
        }
        try await ending.end(id, of: stack, as: .cancelled, by: actor) { update in
            try UpdateLifecycle.cancellation(of: update) != .alreadyDone
        }
    }

    /// The update, for whoever asks how it is.
    package func get(_ id: UpdateID, of ref: StackRef) async throws -> Update {
        try await database.read { [stacks, updates] tx in
            guard let stack = try stacks.find(ref, in: tx), let update = try updates.find(id, of: stack.id, in: tx)
            else { throw ServiceError.updateNotFound(id) }
            return update
        }
    }

    // MARK: - Inside the transaction

    private struct Lease: Sendable {
        var token: String
        var hash: [UInt8]
    }

    private func newLease() -> Lease {
        let token = Hex.encode(effects.randomBytes(32))
        return Lease(token: token, hash: SHA256.hash(token).bytes)
    }

    private func insert(
        _ update: Update,
        of stack: Stack,
        by actor: Actor,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        if !update.isPreview { try requireRight(toUpdate: stack, actor, in: tx) }
        try updates.insert(update, in: tx)
        try Failpoint.reach(.updateInserted)
        try record(.updateCreated, update, of: stack, by: actor, at: now, in: tx)
    }

    /// Whoever may read a stack may preview it; what changes it needs the right to write.
    ///
    /// The routes ask for the right to read only: whether an update is a preview is not in their paths.
    private func requireRight(toUpdate stack: Stack, _ actor: Actor, in tx: Transaction) throws {
        guard let viewer = Viewer(actor), try grants.mayWrite(viewer, to: stack, in: tx) else {
            throw ServiceError.writingNotAllowed
        }
    }

    private func begin(
        _ update: Update,
        of stack: Stack,
        _ start: Start,
        _ newTags: StackTags?,
        _ lease: Lease,
        by actor: Actor,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> StartedUpdate {
        guard update.status == .notStarted else { throw ServiceError.updateStarted }
        if !update.isPreview { try hold.requireFree(stack, at: now, in: tx) }
        var started = update
        started.status = .running
        started.version = update.isPreview ? stack.version : stack.version + 1
        started.generation = update.isPreview ? stack.generation : stack.generation + 1
        started.journalVersion = UpdateLifecycle.journalVersion(offered: start.journalVersion)
        started.leaseHash = lease.hash
        started.leaseExpiresAt = now.advanced(by: UpdateLifecycle.longestLease)
        started.clientVersion = start.clientVersion
        started.startedAt = now
        try updates.start(started, in: tx)
        try Failpoint.reach(.updateStarted)
        if update.isPreview {
            try stacks.showPreview(update.id, of: stack.id, in: tx)
        } else {
            try stacks.take(stack.id, by: update.id, generation: started.generation, at: now, in: tx)
            try Failpoint.reach(.stackTaken)
            if let newTags { try tags.replace(newTags, of: stack.id, in: tx) }
        }
        try record(.updateStarted, started, of: stack, by: actor, at: now, in: tx)
        return StartedUpdate(update: started, token: lease.token, expiresAt: started.leaseExpiresAt ?? now)
    }

    private func newUpdate(
        _ id: UpdateID,
        _ kind: UpdateKind,
        isPreview: Bool,
        of stack: Stack,
        program: UpdateProgram,
        by actor: Actor,
        at now: Timestamp
    ) -> Update {
        Update(
            id: id,
            stack: stack.id,
            kind: kind,
            isPreview: isPreview,
            status: .notStarted,
            isExpired: false,
            version: 0,
            generation: stack.generation,
            journalVersion: 0,
            requestedBy: actor.userID,
            requestedLogin: actor.login,
            program: program,
            createdAt: now
        )
    }

    private func record(
        _ action: AuditAction,
        _ update: Update,
        of stack: Stack,
        by actor: Actor,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        try audit.append(
            action,
            on: stack.ref.description,
            in: .organization(stack.organization),
            by: actor,
            at: now,
            details: [
                AuditEvent.Detail("update", update.id.description), AuditEvent.Detail("kind", update.kind.rawValue),
                AuditEvent.Detail("preview", update.isPreview ? "true" : "false"),
            ],
            tx: tx
        )
    }
}
