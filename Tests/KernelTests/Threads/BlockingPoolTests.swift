import Kernel
import Testing

@Suite("Pool of threads", .timeLimit(.minutes(1)))
struct BlockingPoolTests {
    private final class Ballast: Sendable {}

    @Test("keeps nothing of the work that is done")
    func givesBack() async throws {
        let pool = BlockingPool(name: "test", threads: 1, queue: 10)
        weak var ballast: Ballast?

        do {
            let held = Ballast()
            ballast = held
            try await pool.run(deadline: .seconds(10)) { withExtendedLifetime(held) {} }
        }

        // The thread lets go of its closure a moment after the answer.
        let deadline = ContinuousClock.now + .seconds(5)
        while ballast != nil, .now < deadline { await Task.yield() }
        #expect(ballast == nil)
        pool.stop()
    }
}
