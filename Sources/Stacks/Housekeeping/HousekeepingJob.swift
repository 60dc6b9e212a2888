package import Jobs
package import Kernel
package import Persistence
import Telemetry

/// Cleans up behind stacks: what was deleted long ago, what was never begun, and bytes that nothing names.
package struct HousekeepingJob: Job {
    package static let kind = "stacks.housekeeping"
    package static let retry = RetryPolicy(attempts: .max, base: .seconds(60), cap: .seconds(3600))

    /// How long a deleted stack can be brought back (`design/state-storage.md` rule 9).
    package static let keepDeleted = Duration.seconds(30 * 86_400)
    /// How long an update may wait for its start (`spec/cli-protocol.md` §10.3).
    private static let keepUnstarted = Duration.seconds(3600)
    /// How long an object may lie without a row: the row of a running request comes after its object.
    package static let keepUnnamed = Duration.seconds(86_400)
    /// How long this process must have seen it so: longer than any request runs.
    package static let keepFound = Duration.seconds(3000)
    private static let interval = Duration.seconds(3600)
    private static let batch = 100

    private let database: Database
    private let objects: any ObjectStore
    private let effects: Effects
    private let elapsed: @Sendable () -> Duration
    private let unnamed = UnnamedObjects()
    private let store = HousekeepingStore()

    /// - Parameter elapsed: the time since some moment, by a clock that is never set.
    package init(
        database: Database,
        objects: any ObjectStore,
        effects: Effects,
        elapsed: @escaping @Sendable () -> Duration = Self.monotonic
    ) {
        self.database = database
        self.objects = objects
        self.effects = effects
        self.elapsed = elapsed
    }

    private static let start = ContinuousClock.now
    package static let monotonic: @Sendable () -> Duration = {
        #if CAIRN_FAILPOINTS
            if let control = FailpointControl.current { return start.duration(to: .now) + control.ahead }
        #endif
        return start.duration(to: .now)
    }

    package func run(_ payload: NoPayload, _ context: JobContext) async throws -> JobOutcome {
        let stacks = try await purgeStacks()
        let updates = try await deleteUnstarted()
        let swept = try await sweep() + sweepUnfinished(context.log)
        if stacks + updates + swept > 0 {
            context.log.notice(
                "cleaned up",
                ["stacks": .integer(stacks), "updates": .integer(updates), "objects": .integer(swept)]
            )
        }
        return .again(after: Self.interval)
    }

    /// Removes stacks for good whose time to be brought back is over.
    private func purgeStacks() async throws -> Int {
        let limit = effects.now().advanced(by: Self.keepDeleted * -1)
        let stacks = try await database.read { [store] tx in
            try store.deletedStacks(before: limit, limit: Self.batch, in: tx)
        }
        var count = 0
        for stack in stacks {
            let isGone = try await database.write { [store] tx in try store.purge(stack, in: tx) }
            try Failpoint.reach(.stackPurged)
            if isGone { count += 1 }
        }
        return count
    }

    private func deleteUnstarted() async throws -> Int {
        let limit = effects.now().advanced(by: Self.keepUnstarted * -1)
        let count = try await database.write { [store] tx in
            try store.deleteUnstarted(before: limit, limit: Self.batch, in: tx)
        }
        try Failpoint.reach(.unstartedDeleted)
        return count
    }

    /// Deletes objects that no row names and that are old enough for none to come, by the wall clock and by another one.
    ///
    /// - Returns: how many were deleted.
    package func sweep() async throws -> Int {
        let found = try await findUnnamed()
        let orphans = unnamed.note(found, at: elapsed(), for: Self.keepFound)
        try Failpoint.reach(.sweepFound)
        var rest = orphans[...]
        while !rest.isEmpty {
            try Failpoint.reach(.sweepDelete)
            try await objects.delete(Array(rest.prefix(Self.batch)))
            try Failpoint.reach(.sweepDeleted)
            rest = rest.dropFirst(Self.batch)
        }
        return orphans.count
    }

    /// What a store cannot do, or does not permit, must not keep the rest from being cleaned up.
    private func sweepUnfinished(_ log: Logger) async -> Int {
        do {
            return try await objects.sweepUnfinished(before: effects.now().advanced(by: Self.keepUnnamed * -1))
        } catch {
            let text = (error as? ServiceError)?.message ?? "\(error)"
            log.warning("unfinished objects stay", ["reason": .text(text)])
            return 0
        }
    }

    /// Old objects that no row names now.
    private func findUnnamed() async throws -> [ObjectKey] {
        var found: [ObjectKey] = []
        for folder in [ObjectFolder.state, .events] where found.count < UnnamedObjects.most {
            found += try await findUnnamed(in: folder)
        }
        return found
    }

    private func findUnnamed(in folder: ObjectFolder) async throws -> [ObjectKey] {
        let limit = effects.now().advanced(by: Self.keepUnnamed * -1)
        var cursor: String?
        var found: [ObjectKey] = []
        repeat {
            let page = try await objects.list(in: folder, after: cursor, limit: Self.batch)
            let old = page.objects.filter { $0.stored < limit }.map(\.key)
            let named = try await database.read { [store] tx in try store.named(old.map(\.description), in: tx) }
            found += old.filter { !named.contains($0.description) }
            cursor = page.next
        } while cursor != nil && found.count < UnnamedObjects.most
        return found
    }
}
