package import Kernel
package import Persistence

/// Makes sure that nobody holds a stack while it is changed as a whole: imported, renamed, deleted, started.
///
/// An update whose lease ended long enough ago is ended first, with everything it saved.
package struct StackHold: Sendable {
    private let database: Database
    private let effects: Effects
    private let ending: UpdateEnding
    private let stacks = StackStore()
    private let updates = UpdateStore()

    package init(database: Database, effects: Effects, ending: UpdateEnding) {
        self.database = database
        self.effects = effects
        self.ending = ending
    }

    /// Another update holds the stack and has been silent for too long: it must be ended first.
    struct DeadUpdate: Error {
        var update: UpdateID
        var stack: StackID
    }

    /// Runs `body` in one transaction with the stack locked and held by nobody.
    ///
    /// - Throws: `.conflict` naming the holder when an update runs.
    package func write<T: Sendable>(
        _ ref: StackRef,
        _ body: @escaping @Sendable (Stack, Transaction) throws -> T
    ) async throws -> T {
        try await retrying { [database, stacks, effects] in
            try await database.write { tx in
                guard let stack = try stacks.lock(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
                try self.requireFree(stack, at: effects.now(), in: tx)
                return try body(stack, tx)
            }
        }
    }

    /// Runs `body` again whenever it has met a dead update, which is ended between.
    func retrying<T: Sendable>(_ body: () async throws -> T) async throws -> T {
        while true {
            do {
                return try await body()
            } catch let dead as DeadUpdate {
                try await expire(dead.update, of: dead.stack)
            }
        }
    }

    /// - Throws: `.conflict` when an update holds the stack, `DeadUpdate` when that one can be ended.
    func requireFree(_ stack: Stack, at now: Timestamp, in tx: Transaction) throws {
        guard let running = stack.runningUpdate, let holder = try updates.find(running, of: stack.id, in: tx),
            holder.status == .running
        else { return }
        guard UpdateLifecycle.mayBeTaken(holder, at: now) else { throw ServiceError.stackBusy(holder) }
        throw DeadUpdate(update: holder.id, stack: stack.id)
    }

    /// Ends an update whose lease is over.
    ///
    /// Nothing happens when it was renewed or ended meanwhile.
    package func expire(_ id: UpdateID, of stack: StackID) async throws {
        try Failpoint.reach(.expireFound)
        try await ending.end(id, of: stack, as: .expired, by: .system("lease expiry")) { [effects] update in
            update.status == .running && UpdateLifecycle.mayBeTaken(update, at: effects.now())
        }
        try Failpoint.reach(.expireDone)
    }

    /// Ends every update whose lease is over; for the job that does so now and then.
    ///
    /// - Returns: how many there were.
    /// - Throws: what the first of them met that could not be ended; all others were.
    package func expireDead() async throws -> Int {
        let limit = effects.now().advanced(by: UpdateLifecycle.grace * -1)
        let dead = try await database.read { [updates] tx in try updates.expired(before: limit, limit: 100, in: tx) }
        var failure: (any Error)?
        for update in dead {
            do {
                try await expire(update.id, of: update.stack)
            } catch {
                // The others must not wait for one that cannot be ended.
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return dead.count
    }
}
