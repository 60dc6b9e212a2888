import Jobs
import Kernel
import Persistence
import Telemetry
import TestKit

/// A database with jobs in it, a clock that the test moves, and a list of what ran.
struct JobBench: Sendable {
    let database: Database
    let clock = ManualClock()
    let sleeps = SleepClock()
    let log = LogRecorder()
    let script = Script()

    /// A runner, as one process has it.
    func runner(kinds: [JobRunner.Kind]? = nil, limits: JobRunner.Limits = JobRunner.Limits()) -> JobRunner {
        JobRunner(
            database: database,
            effects: clock.effects,
            clock: sleeps,
            kinds: kinds ?? [JobRunner.Kind(ScriptedJob(script: script))],
            limits: limits,
            log: Logger(to: log, minimum: .debug, now: clock.effects.now)
        )
    }

    func enqueue(_ name: String, due: Timestamp? = nil, uniqueKey: String? = nil) async throws {
        let queue = JobQueue(effects: clock.effects)
        try await database.write { tx in
            try queue.enqueue(ScriptedJob.self, NamePayload(name), due: due, uniqueKey: uniqueKey, in: tx)
        }
    }

    /// What the table says of every job: payload, attempt, whether somebody holds it, whether it was given up.
    func rows() async throws -> [String] {
        try await database.read { tx in
            try tx.all("SELECT payload, attempt, locked_by, failed_at FROM jobs ORDER BY payload") { row in
                let held = row.isNull(2) ? "free" : "held"
                return "\(try row.text(0)) \(try row.int(1)) \(row.isNull(3) ? held : "failed")"
            }
        }
    }
}

func withJobBench(_ engine: Engine, _ body: (JobBench) async throws -> Void) async throws {
    try await withTestDatabase(engine) { database in
        try await body(JobBench(database: database))
    }
}

/// What jobs of a test do, by name, and which of them ran.
final class Script: Sendable {
    typealias Step = @Sendable (JobContext) async throws -> JobOutcome

    private let steps = Locked<[String: Step]>([:])
    private let ran = Locked<[String]>([])

    /// The names of the jobs that ran, with their attempts, in order.
    var runs: [String] { ran.withLock { $0 } }

    func on(_ name: String, _ step: @escaping Step) {
        steps.withLock { $0[name] = step }
    }

    func run(_ name: String, _ context: JobContext) async throws -> JobOutcome {
        ran.withLock { $0.append("\(name) \(context.attempt)") }
        let step = steps.withLock { $0[name] }
        return try await step?(context) ?? .done
    }
}

struct ScriptedJob: Job {
    static let kind = "test.scripted"
    static let retry = RetryPolicy(attempts: 3, base: .seconds(10), cap: .seconds(60))

    let script: Script

    func run(_ payload: NamePayload, _ context: JobContext) async throws -> JobOutcome {
        try await script.run(payload.encoded, context)
    }
}

struct NamePayload: JobPayload {
    let encoded: String

    init(_ name: String) {
        encoded = name
    }

    init?(encoded text: String) {
        guard text != "unreadable" else { return nil }
        encoded = text
    }
}

struct Failure: Error {}

/// Lets a job wait until the test says go.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Locked(State())

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}
