import Telemetry
import Jobs
import Kernel
import Persistence
import TestKit
import Testing

@Suite("Running jobs")
struct JobRunnerTests {
    @Test("runs what is due, the longest due first, and forgets what is done", arguments: Engine.available)
    func runsDue(engine: Engine) async throws {
        try await withJobBench(engine) { bench in
            var limits = JobRunner.Limits()
            limits.concurrency = 1
            let runner = bench.runner(limits: limits)
            let now = bench.clock.now
            try await bench.enqueue("late", due: now)
            try await bench.enqueue("early", due: now.advanced(by: .seconds(-5)))
            try await bench.enqueue("tomorrow", due: now.advanced(by: .microseconds(1)))

            let counts = [try await runner.runDue(), try await runner.runDue(), try await runner.runDue()]

            #expect(counts == [1, 1, 0])
            #expect(bench.script.runs == ["early 1", "late 1"])
            #expect(try await bench.rows() == ["tomorrow 0 free"])
        }
    }

    @Test("tries again later and later, and gives up in the end", arguments: Engine.available)
    func retries(engine: Engine) async throws {
        try await withJobBench(engine) { bench in
            bench.script.on("a") { _ in throw Failure() }
            let runner = bench.runner()
            try await bench.enqueue("a")

            #expect(try await runner.runDue() == 1)
            #expect(try await runner.runDue() == 0)
            bench.clock.advance(by: .seconds(10))
            #expect(try await runner.runDue() == 1)
            bench.clock.advance(by: .microseconds(9_999_999))
            #expect(try await runner.runDue() == 0)
            bench.clock.advance(by: .seconds(10))
            #expect(try await runner.runDue() == 1)
            bench.clock.advance(by: .seconds(86_400))
            #expect(try await runner.runDue() == 0)

            #expect(bench.script.runs == ["a 1", "a 2", "a 3"])
            #expect(try await bench.rows() == ["a 3 failed"])
            #expect(bench.log.entries.map(\.level) == [.warning, .warning, .error])
        }
    }

    @Test("keeps the row of a job that comes again, as a first attempt", arguments: Engine.available)
    func repeats(engine: Engine) async throws {
        try await withJobBench(engine) { bench in
            bench.script.on("daily") { _ in .again(after: .seconds(60)) }
            let runner = bench.runner()
            try await bench.enqueue("daily", uniqueKey: "schedule:daily")
            try await bench.enqueue("daily", uniqueKey: "schedule:daily")

            #expect(try await runner.runDue() == 1)
            #expect(try await runner.runDue() == 0)
            bench.clock.advance(by: .seconds(60))
            #expect(try await runner.runDue() == 1)

            #expect(bench.script.runs == ["daily 1", "daily 1"])
            #expect(try await bench.rows() == ["daily 0 free"])
        }
    }

    @Test("drops what has become pointless or cannot be read, and says so", arguments: Engine.available)
    func abandons(engine: Engine) async throws {
        try await withJobBench(engine) { bench in
            bench.script.on("pointless") { _ in .abandon("it is gone") }
            try await bench.enqueue("pointless")
            try await bench.enqueue("unreadable")

            #expect(try await bench.runner().runDue() == 2)

            #expect(try await bench.rows().isEmpty)
            #expect(bench.log.entries.map(\.level) == [.notice, .notice])
        }
    }

    @Test("leaves jobs of unknown kinds alone, and raises an alert", arguments: Engine.available)
    func keepsUnknownKinds(engine: Engine) async throws {
        try await withJobBench(engine) { bench in
            try await bench.enqueue("a")
            let runner = bench.runner(kinds: [JobRunner.Kind(OtherJob())])

            let task = runInBackground(runner)
            try await eventually("the alert") { bench.log.entries.contains { $0.level == .error } }
            await runner.drain()
            await task.stop()

            #expect(try await bench.rows() == ["a 0 free"])
            #expect(bench.script.runs.isEmpty)
        }
    }

    @Test("takes back the jobs of a process that died, when its lease has ended", arguments: Engine.available)
    func recovers(engine: Engine) async throws {
        try await withJobBench(engine) { bench in
            try await bench.enqueue("a")
            let dead: JobID = bench.clock.effects.id()
            let until = bench.clock.now.advanced(by: .seconds(60))
            try await bench.database.write { tx in
                _ = try tx.execute("UPDATE jobs SET locked_by = \(dead), locked_until = \(until), attempt = 1")
            }
            let runner = bench.runner()

            #expect(try await runner.runDue() == 0)
            bench.clock.advance(by: .seconds(60))
            #expect(try await runner.runDue() == 0)
            bench.clock.advance(by: .microseconds(1))
            #expect(try await runner.runDue() == 1)

            #expect(bench.script.runs == ["a 2"])
            #expect(try await bench.rows().isEmpty)
        }
    }

    @Test("renews its lease while a job takes long", arguments: Engine.available)
    func renews(engine: Engine) async throws {
        try await withJobBench(engine) { bench in
            let gate = Gate()
            bench.script.on("long") { _ in
                await gate.wait()
                return .done
            }
            try await bench.enqueue("long")
            let runner = bench.runner()
            let other = bench.runner()

            let run = Background { _ = try await runner.runDue() }
            try await eventually("the job began") { bench.script.runs == ["long 1"] && bench.sleeps.sleeping == 1 }
            for _ in 0..<6 {
                bench.clock.advance(by: .seconds(20))
                bench.sleeps.advance(by: .seconds(20))
                try await eventually("the lease was renewed") { bench.sleeps.sleeping == 1 }
                #expect(try await other.runDue() == 0)
            }
            gate.open()
            await run.finish()

            #expect(bench.script.runs == ["long 1"])
            #expect(try await bench.rows().isEmpty)
        }
    }

    @Test("never lets two runners have one job", arguments: Engine.available)
    func sharesJobs(engine: Engine) async throws {
        try await withJobBench(engine) { bench in
            for number in 0..<20 { try await bench.enqueue("job-\(number)") }
            let runners = (0..<4).map { _ in bench.runner() }

            try await withThrowingTaskGroup(of: Void.self) { group in
                for runner in runners {
                    group.addTask {
                        while try await runner.runDue() > 0 {}
                    }
                }
                try await group.waitForAll()
            }

            #expect(Set(bench.script.runs).count == 20)
            #expect(bench.script.runs.count == 20)
            #expect(try await bench.rows().isEmpty)
        }
    }
}

/// A kind that no row of these tests has.
struct OtherJob: Job {
    static let kind = "test.other"
    static let retry = RetryPolicy(attempts: 1, base: .seconds(1), cap: .seconds(1))

    func run(_ payload: NoPayload, _ context: JobContext) async throws -> JobOutcome { .done }
}
