import APITestKit
import Kernel
import ObjectStorage
import Persistence
import Stacks
import TestKit
import Testing

/// A clock that nobody sets, in the hands of a test.
private final class Stopwatch: Sendable {
    private let time = Locked(Duration.zero)

    var elapsed: @Sendable () -> Duration { { self.time.withLock { $0 } } }

    func advance(by duration: Duration) {
        time.withLock { $0 += duration }
    }
}

@Suite("The sweep of objects that no row names")
struct SweepTests {
    private let unnamed = ObjectFolder("state").folder("lost").object(
        ID<Entity.StateObject>(at: Timestamp(seconds: 0), random: (1, 1))
    )

    @Test(
        "takes what is old and was seen without a row an hour ago, and leaves what a row names",
        arguments: Engine.available
    )
    func sweeps(engine: Engine) async throws {
        try await withStackServer(engine) { server, objects in
            try await server.createStack("acme/site/dev")
            try await server.importState(LargeState(400).resources, into: "acme/site/dev")
            let named = try await objects.states().map(\.key)
            try await objects.put([1], as: unnamed)
            let stopwatch = Stopwatch()
            let job = try await housekeeping(server, objects, aheadBy: .seconds(3 * 86_400), stopwatch)

            let first = try await job.sweep()
            stopwatch.advance(by: .seconds(3600))
            let second = try await job.sweep()

            #expect(first == 0)
            #expect(second == 1)
            #expect(!named.isEmpty)
            #expect(try await Set(objects.states().map(\.key)) == Set(named))
        }
    }

    @Test("takes nothing that is young, however long it was seen", arguments: Engine.available)
    func sparesYoung(engine: Engine) async throws {
        try await withStackServer(engine) { server, objects in
            try await objects.put([1], as: unnamed)
            let stopwatch = Stopwatch()
            let job = try await housekeeping(server, objects, aheadBy: .seconds(82_800), stopwatch)

            _ = try await job.sweep()
            stopwatch.advance(by: .seconds(7200))

            #expect(try await job.sweep() == 0)
            #expect(try await objects.states().count == 1)
        }
    }

    @Test("takes no object whose request is under way, however wrong the wall clock is", arguments: Engine.available)
    func sparesUnderWay(engine: Engine) async throws {
        try await withStackServer(engine) { server, objects in
            try await objects.put([1], as: unnamed)
            let stopwatch = Stopwatch()
            let job = try await housekeeping(server, objects, aheadBy: .seconds(3650 * 86_400), stopwatch)

            for _ in 0..<4 {
                #expect(try await job.sweep() == 0)
                stopwatch.advance(by: .seconds(600))
            }

            #expect(try await objects.states().count == 1)
        }
    }

    /// A job whose clock is ahead of the one that dates the objects.
    private func housekeeping(
        _ server: TestServer,
        _ objects: FolderObjectStore,
        aheadBy time: Duration,
        _ stopwatch: Stopwatch
    ) async throws -> HousekeepingJob {
        let stored = try #require(try await objects.states().map(\.stored).max())
        let effects = Effects(now: { stored.advanced(by: time) }, randomBytes: server.clock.effects.randomBytes)
        return HousekeepingJob(
            database: server.database,
            objects: objects,
            effects: effects,
            elapsed: stopwatch.elapsed
        )
    }
}
