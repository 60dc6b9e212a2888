import CloudAccess
import Kernel
import Testing

@Suite("Values that are renewed")
struct RenewedTests {
    /// A source of numbered values whose life and failures a test decides.
    private final class Source: Sendable {
        struct State {
            var now = Timestamp(seconds: 1_000_000)
            var fetches = 0
            var life: Duration? = .seconds(3600)
            var failure: ServiceError?
            /// Fetches wait until it is false.
            var isHeld = false
            /// How often somebody has looked at the time, which is the first thing that whoever needs the value does.
            var looks = 0
        }

        let state = Locked(State())

        var fetches: Int { state.withLock { $0.fetches } }
        func set(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }
        func move(by duration: Duration) { set { $0.now = $0.now.advanced(by: duration) } }

        /// Returns when so many fetches have begun.
        func waitForFetch(_ number: Int) async {
            while fetches < number, !Task.isCancelled { try? await ContinuousClock().sleep(for: .milliseconds(1)) }
        }

        /// Returns when the time was looked at so many times.
        func waitForLook(_ number: Int) async {
            while state.withLock({ $0.looks < number }), !Task.isCancelled {
                try? await ContinuousClock().sleep(for: .milliseconds(1))
            }
        }

        var effects: Effects {
            Effects(
                now: {
                    self.state.withLock { state in
                        state.looks += 1
                        return state.now
                    }
                },
                randomBytes: { [UInt8](repeating: 0, count: $0) }
            )
        }

        func fetch() async throws -> (Int, Timestamp?) {
            let number = state.withLock { state in
                state.fetches += 1
                return state.fetches
            }
            while state.withLock({ $0.isHeld }) { try await ContinuousClock().sleep(for: .milliseconds(1)) }
            return try state.withLock { state in
                if let failure = state.failure { throw failure }
                return (number, state.life.map { state.now.advanced(by: $0) })
            }
        }
    }

    private let source = Source()

    private func renewed() -> Renewed<Int> {
        Renewed("the test's value", effects: source.effects) { [source] in try await source.fetch() }
    }

    @Test("are fetched once, and again five minutes before they end")
    func renews() async throws {
        let renewed = renewed()

        #expect(try await renewed.value() == 1)
        source.move(by: .seconds(3299))
        #expect(try await renewed.value() == 1)
        source.move(by: .seconds(1))
        #expect(try await renewed.value() == 2)
        #expect(try await renewed.value() == 2)

        #expect(source.fetches == 2)
    }

    @Test("that never end are fetched once")
    func lasts() async throws {
        source.set { $0.life = nil }
        let renewed = renewed()

        for _ in 0..<3 {
            #expect(try await renewed.value() == 1)
            source.move(by: .seconds(1_000_000))
        }
    }

    @Test("that live shortly are used for two thirds of their life")
    func livesShortly() async throws {
        source.set { $0.life = .seconds(60) }
        let renewed = renewed()

        #expect(try await renewed.value() == 1)
        source.move(by: .seconds(39))
        #expect(try await renewed.value() == 1)
        source.move(by: .seconds(1))
        #expect(try await renewed.value() == 2)
    }

    @Test("are used until they end while no new one can be had, which is tried every half minute")
    func keepsTheOldOne() async throws {
        let renewed = renewed()
        #expect(try await renewed.value() == 1)
        source.set { $0.failure = .unavailable("away") }
        source.move(by: .seconds(3400))

        for _ in 0..<5 { #expect(try await renewed.value() == 1) }
        #expect(source.fetches == 2)
        source.move(by: .seconds(30))
        #expect(try await renewed.value() == 1)
        #expect(source.fetches == 3)
        source.move(by: .seconds(170))
        let error = await #expect(throws: ServiceError.self) { try await renewed.value() }
        #expect(error?.message == "away")
        source.set { $0.failure = nil }
        #expect(try await renewed.value() == 5)
    }

    @Test("are fetched by one of those who need them at once")
    func fetchesOnce() async throws {
        source.set { $0.isHeld = true }
        let renewed = renewed()

        let values = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<50 { group.addTask { try await renewed.value() } }
            await source.waitForFetch(1)
            source.set { $0.isHeld = false }
            return try await group.reduce(into: []) { $0.append($1) }
        }

        #expect(values == [Int](repeating: 1, count: 50))
        #expect(source.fetches == 1)
    }

    @Test("are renewed by one while the others go on with the old one")
    func renewsBeside() async throws {
        let renewed = renewed()
        _ = try await renewed.value()
        source.move(by: .seconds(3400))
        source.set { $0.isHeld = true }

        let value = try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask { try await renewed.value() }
            await source.waitForFetch(2)
            for _ in 0..<10 { #expect(try await renewed.value() == 1) }
            source.set { $0.isHeld = false }
            return try await group.next()
        }

        #expect(value == 2)
        #expect(try await renewed.value() == 2)
        #expect(source.fetches == 2)
    }

    @Test("that could not be fetched fail for all who waited, with one attempt")
    func failsOnce() async throws {
        source.set { state in
            state.isHeld = true
            state.failure = .unavailable("away")
        }
        let renewed = renewed()

        let failures = await withTaskGroup(of: String.self) { group in
            let messages: @Sendable () async -> String = {
                do { return "\(try await renewed.value())" } catch { return (error as? ServiceError)?.message ?? "" }
            }
            group.addTask { await messages() }
            await source.waitForFetch(1)
            for _ in 0..<20 { group.addTask { await messages() } }
            // They wait for the turn that the first one has. That they do cannot be seen, only that all have looked at
            // the time; what they do next, before they wait, takes none.
            await source.waitForLook(21)
            try? await ContinuousClock().sleep(for: .milliseconds(500))
            source.set { $0.isHeld = false }
            return await group.reduce(into: []) { $0.append($1) }
        }

        #expect(failures == [String](repeating: "away", count: 21))
        #expect(source.fetches == 1)
    }

    @Test("are fetched by the next one when whoever fetched was cancelled")
    func survivesCancellation() async throws {
        source.set { $0.isHeld = true }
        let renewed = renewed()

        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try? await renewed.value() }
            await source.waitForFetch(1)
            group.cancelAll()
            try await group.waitForAll()
        }
        source.set { $0.isHeld = false }

        #expect(try await renewed.value() == 2)
    }

    @Test("that had ended when they came are refused, with a hint at the clock")
    func refusesTheEnded() async throws {
        source.set { $0.life = .seconds(-1) }
        let renewed = renewed()

        let error = await #expect(throws: ServiceError.self) { try await renewed.value() }

        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("clock") == true)
    }

    @Test("are renewed when the clock was set back, because their age is not known any more")
    func clockSetBack() async throws {
        let renewed = renewed()
        _ = try await renewed.value()
        source.move(by: .seconds(-86_400))

        #expect(try await renewed.value() == 2)
    }
}
