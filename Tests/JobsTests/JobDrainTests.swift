import Telemetry
import Jobs
import Kernel
import TestKit
import Testing

@Suite("Stopping the runner of jobs")
struct JobDrainTests {
    @Test("lets jobs in progress end, and begins no other", arguments: Engine.available)
    func finishes(engine: Engine) async throws {
        try await withJobBench(engine) { bench in
            let gate = Gate()
            bench.script.on("long") { _ in
                await gate.wait()
                return .done
            }
            try await bench.enqueue("long")
            let runner = bench.runner()
            let running = runInBackground(runner)
            try await bench.beginning(of: "long")

            let drain = Background { await runner.drain() }
            try await eventually("it takes no more jobs") { runner.isDraining }
            try await bench.enqueue("later")
            bench.sleeps.advance(by: .seconds(1))
            #expect(!drain.isFinished)
            gate.open()
            await drain.finish()
            await running.stop()

            #expect(bench.script.runs == ["long 1"])
            #expect(try await bench.rows() == ["later 0 free"])
        }
    }

    @Test("gives back what does not end in time, not counted as an attempt", arguments: Engine.available)
    func givesBack(engine: Engine) async throws {
        try await withJobBench(engine) { bench in
            bench.script.on("endless") { _ in
                try await Task.sleep(for: .seconds(3600))
                return .done
            }
            try await bench.enqueue("endless")
            let runner = bench.runner()
            let running = runInBackground(runner)
            try await bench.beginning(of: "endless")

            let drain = Background { await runner.drain() }
            await drain.stop()
            await running.stop()

            #expect(try await bench.rows() == ["endless 0 free"])
            bench.script.on("endless") { _ in .done }
            #expect(try await bench.runner().runDue() == 1)
            #expect(bench.script.runs == ["endless 1", "endless 1"])
        }
    }

    @Test("is at once where nothing runs", arguments: Engine.available)
    func stopsIdle(engine: Engine) async throws {
        try await withJobBench(engine) { bench in
            let runner = bench.runner()
            let running = runInBackground(runner)
            try await eventually("it waits") { bench.sleeps.sleeping == 1 }

            await runner.drain()
            await running.stop()

            #expect(bench.log.entries.isEmpty)
        }
    }
}

extension JobBench {
    /// Returns when a job runs and its runner has found no other one to claim.
    fileprivate func beginning(of name: String) async throws {
        // One sleep is that of whoever renews the job's lease, the other one the loop's.
        try await eventually("the job began") { script.runs == ["\(name) 1"] && sleeps.sleeping == 2 }
    }
}

/// The runner's loop, in a task of its own.
func runInBackground(_ runner: JobRunner) -> Background {
    Background { try await runner.run() }
}

/// Something that runs beside the test.
final class Background: Sendable {
    private let task: Task<Void, Never>
    private let done = Flag()

    init(_ body: @escaping @Sendable () async throws -> Void) {
        let done = done
        task = Task {
            try? await body()
            done.set()
        }
    }

    var isFinished: Bool { done.isSet }

    /// Returns when it has ended by itself.
    func finish() async {
        await task.value
    }

    /// Cancels it and returns when it has ended.
    func stop() async {
        task.cancel()
        await task.value
    }
}
