import Kernel
import Server
import TestKit
import Testing

@Suite("Readiness")
struct ReadinessTests {
    private let clock = SleepClock()

    @Test("names what is missing, in words for whoever probes")
    func namesMissing() async {
        struct Secret: Error {}
        let readiness = Readiness(
            checks: [
                .init("good") {}, .init("away") { throw ServiceError.unavailable("The database cannot be reached.") },
                .init("broken") { throw Secret() },
            ],
            clock: clock
        )

        let failures = await readiness.failures()

        #expect(failures == ["away": "The database cannot be reached.", "broken": "failed"])
    }

    @Test("does not wait for what does not answer")
    func limitsWaiting() async throws {
        let readiness = Readiness(
            checks: [.init("slow") { try await Task.sleep(for: .seconds(3600)) }],
            clock: clock
        )
        let probe = Background { await readiness.failures() }
        try await eventually("it waits") { clock.sleeping == 1 }

        clock.advance(by: .seconds(2))

        #expect(try await probe.value().keys.sorted() == ["slow"])
    }

    @Test("ends as soon as the process is to stop, whatever the checks say")
    func endsWithDraining() async {
        let readiness = Readiness(checks: [.init("good") {}], clock: clock)
        let before = await readiness.failures()

        readiness.beginDraining()

        #expect(before.isEmpty)
        #expect(await readiness.failures() == ["server": "is stopping"])
    }
}
