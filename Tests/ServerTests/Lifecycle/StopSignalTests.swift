import Server
import TestKit
import Testing

@Suite("Requests to stop")
struct StopSignalTests {
    @Test("the first one wakes whoever waits for it, the second one the others")
    func counts() async throws {
        let stop = StopSignal()
        let first = Background { await stop.first() }
        let second = Background { await stop.second() }

        stop.request("one")
        try await first.value()
        let hurried = second.isFinished
        stop.request("two")
        try await second.value()

        #expect(!hurried)
        #expect(stop.reason == "one")
    }

    @Test("those that came before somebody waits count")
    func remembers() async {
        let stop = StopSignal()
        stop.request("one")
        stop.request("two")
        stop.request("three")

        await stop.first()
        await stop.second()

        #expect(stop.reason == "one")
    }

    @Test("waiting for one ends with the task")
    func endsWithTask() async throws {
        let stop = StopSignal()
        let waiting = Background {
            await stop.first()
            return stop.reason
        }

        waiting.cancel()

        #expect(try await waiting.value() == nil)
    }
}
