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
    private static let interval = Duration.seconds(3600)
    private static let batch = 100

    private let database: Database
    private let objects: any ObjectStore
    private let effects: Effects
    private let store = HousekeepingStore()

    package init(database: Database, objects: any ObjectStore, effects: Effects) {
        self.database = database
        self.objects = objects
        self.effects = effects
    }

    package func run(_ payload: NoPayload, _ context: JobContext) async throws -> JobOutcome {
        let stacks = try await purgeStacks()
        let updates = try await deleteUnstarted()
        let swept = try await sweep()
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
            if isGone { count += 1 }
        }
        return count
    }

    private func deleteUnstarted() async throws -> Int {
        let limit = effects.now().advanced(by: Self.keepUnstarted * -1)
        return try await database.write { [store] tx in
            try store.deleteUnstarted(before: limit, limit: Self.batch, in: tx)
        }
    }

    /// Deletes objects that no row names and that are old enough for none to come.
    ///
    /// - Returns: how many were deleted.
    package func sweep() async throws -> Int {
        let limit = effects.now().advanced(by: Self.keepUnnamed * -1)
        var cursor: String?
        var count = 0
        repeat {
            let page = try await objects.list(in: ObjectFolder("state"), after: cursor, limit: Self.batch)
            let old = page.objects.filter { $0.stored < limit }.map(\.key)
            let named = try await database.read { [store] tx in try store.named(old.map(\.description), in: tx) }
            let orphans = old.filter { !named.contains($0.description) }
            if !orphans.isEmpty { try await objects.delete(orphans) }
            count += orphans.count
            cursor = page.next
        } while cursor != nil
        return count
    }
}
