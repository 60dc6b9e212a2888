import Kernel
import Server
import Telemetry
import TestKit
import Testing

@Suite("A group of services")
struct ServiceGroupTests {
    private let clock = SleepClock()
    private let stop = StopSignal()
    private let diary = Diary()
    private let log = LogRecorder()

    @Test("runs all of them and drains them in the reverse order")
    func drainsInReverse() async throws {
        let services = ["a", "b", "c"].map { Probe($0, diary) }
        let running = run(services)
        try await eventually("all run") { diary.lines.count == 3 }

        stop.request("test")
        try await running.value()

        #expect(Set(diary.lines.prefix(3)) == ["a runs", "b runs", "c runs"])
        #expect(diary.lines[3...5] == ["c drains", "b drains", "a drains"])
        #expect(Set(diary.lines.suffix(3)) == ["a ends", "b ends", "c ends"])
    }

    @Test("stops all when one fails, and throws its error")
    func stopsOnFailure() async throws {
        let failing = Probe("b", diary, failure: .init())
        let running = run([Probe("a", diary), failing, Probe("c", diary)])

        await #expect(throws: Probe.Failure.self) { try await running.value() }

        #expect(diary.lines.filter { $0.hasSuffix("drains") } == ["c drains", "b drains", "a drains"])
        #expect(stop.reason == "b failed")
        #expect(log.entries.contains { $0.level == .error })
    }

    @Test("stops all when one ends by itself, without an error")
    func stopsOnEnd() async throws {
        let running = run([Probe("a", diary), Probe("b", diary, endsAtOnce: true)])

        try await running.value()

        #expect(stop.reason == "b ended")
    }

    @Test("gives each its time, and then goes on with the next")
    func limitsDrain() async throws {
        let running = run([Probe("a", diary), Probe("b", diary, drainsForever: true)])
        try await eventually("both run") { diary.lines.count == 2 }

        stop.request("test")
        try await eventually("b drains") { diary.lines.contains("b drains") && clock.sleeping == 1 }
        clock.advance(by: .seconds(30) - .nanoseconds(1))
        let early = diary.lines
        clock.advance(by: .nanoseconds(1))
        try await running.value()

        #expect(!early.contains("a drains"))
        #expect(diary.lines.contains("a drains"))
        #expect(log.entries.contains { $0.message.contains("before it had finished") })
    }

    @Test("hurries at the second request")
    func hurries() async throws {
        let running = run([Probe("a", diary, drainsForever: true), Probe("b", diary, drainsForever: true)])
        try await eventually("both run") { diary.lines.count == 2 }

        stop.request("one")
        try await eventually("b drains") { diary.lines.contains("b drains") }
        stop.request("two")
        try await running.value()

        #expect(diary.lines.contains("a drains"))
    }

    @Test("does not take the end of a drained service for a request to hurry")
    func endOfDrainedService() async throws {
        let drained = StopSignal()
        let slow = Probe("a", diary, drainsUntil: drained)
        let running = run([slow, Probe("b", diary, endsWhenDrained: true)])
        try await eventually("both run") { diary.lines.count == 2 }

        stop.request("test")
        try await eventually("b has ended while a drains") {
            diary.lines.contains("b ends") && diary.lines.contains("a drains")
        }
        // Time for a wrong request to arrive, which would come right behind the end.
        try await Task.sleep(for: .milliseconds(50))
        drained.request("all is written")
        try await running.value()

        #expect(diary.lines.contains("a has drained"))
        #expect(log.entries.isEmpty)
    }

    private func run(_ services: [Probe]) -> Background<Void> {
        let group = ServiceGroup(
            services: services,
            grace: .seconds(30),
            clock: clock,
            log: Logger(to: log, minimum: .debug, now: ManualClock().effects.now)
        )
        return Background { [stop] in try await group.run(until: stop) }
    }
}

/// What happened, in order.
private final class Diary: Sendable {
    private let written = Locked<[String]>([])

    var lines: [String] { written.withLock { $0 } }

    func write(_ line: String) {
        written.withLock { $0.append(line) }
    }
}

/// A service that writes down what happens to it.
private struct Probe: Service {
    struct Failure: Error {}

    let name: String
    let diary: Diary
    let failure: Failure?
    let endsAtOnce: Bool
    let drainsForever: Bool
    let drainsUntil: StopSignal?
    /// Asked for by its own drain, and ends the run.
    let isDrained: StopSignal?

    init(
        _ name: String,
        _ diary: Diary,
        failure: Failure? = nil,
        endsAtOnce: Bool = false,
        endsWhenDrained: Bool = false,
        drainsForever: Bool = false,
        drainsUntil: StopSignal? = nil
    ) {
        self.name = name
        self.diary = diary
        self.failure = failure
        self.endsAtOnce = endsAtOnce
        self.drainsForever = drainsForever
        self.drainsUntil = drainsUntil
        isDrained = endsWhenDrained ? StopSignal() : nil
    }

    func run() async throws {
        diary.write("\(name) runs")
        if let failure { throw failure }
        if endsAtOnce { return }
        if let isDrained {
            await isDrained.first()
        } else {
            try? await Task.sleep(for: .seconds(3600))
        }
        diary.write("\(name) ends")
    }

    func drain() async {
        diary.write("\(name) drains")
        isDrained?.request("drained")
        if let drainsUntil {
            await drainsUntil.first()
            diary.write(Task.isCancelled ? "\(name) was cut off" : "\(name) has drained")
        }
        if drainsForever { try? await Task.sleep(for: .seconds(3600)) }
    }
}
