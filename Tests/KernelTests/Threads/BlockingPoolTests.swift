import Dispatch
import Foundation
import Kernel
import Synchronization
import Testing

@Suite("Pool of threads", .timeLimit(.minutes(5)))
struct BlockingPoolTests {
    private final class Ballast: Sendable {}

    @Test("keeps nothing of the work that is done")
    func givesBack() async throws {
        let pool = BlockingPool(name: "test", threads: 1, queue: 10)
        weak var ballast: Ballast?

        do {
            let held = Ballast()
            ballast = held
            try await pool.run(deadline: .seconds(30)) { withExtendedLifetime(held) {} }
        }

        // The thread lets go of its closure a moment after the answer.
        let deadline = ContinuousClock.now + .seconds(30)
        while ballast != nil, .now < deadline { await Task.yield() }
        #expect(ballast == nil)
        pool.stop()
    }

    @Test("light work does not wait for heavy work, which gives way")
    func givesWay() async throws {
        let pool = BlockingPool(name: "test", threads: 1, heavyThreads: 1, queue: 10)
        let release = DispatchSemaphore(value: 0)
        let (begun, beginning) = AsyncStream<Void>.makeStream()
        async let stuck = pool.run(.heavy, deadline: .seconds(30)) {
            beginning.finish()
            return release.wait(timeout: .now() + .seconds(30))
        }
        for await _ in begun {}
        async let behind = pool.run(.heavy, deadline: .seconds(30)) { Self.niceValue() }

        let light = try await pool.run(deadline: .seconds(30)) { Self.niceValue() }

        release.signal()
        let wasReleased = try await stuck == .success
        let heavy = try await behind
        #expect(wasReleased)
        #expect(light == Self.niceValue())
        #expect(heavy == 10)
        pool.stop()
    }

    /// Of the calling thread, from the 19th field of its status: the second one may hold blanks and ends with `)`.
    private static func niceValue() -> Int? {
        let status = try? String(contentsOfFile: "/proc/thread-self/stat", encoding: .utf8)
        return status?.split(separator: ")").last.flatMap { Int($0.split(separator: " ")[16]) }
    }

    @Test("heavy work is done where all other is, without threads of its own")
    func heavyWithoutThreads() async throws {
        let pool = BlockingPool(name: "test", threads: 1, queue: 10)

        let heavy = try await pool.run(.heavy, deadline: .seconds(30)) { Self.niceValue() }

        #expect(heavy == Self.niceValue())
        pool.stop()
    }

    @Test(
        "text of a megabyte is heavy",
        arguments: [(0, WorkWeight.light), ((1 << 20) - 1, .light), (1 << 20, .heavy), (Int.max, .heavy)]
    )
    func weighs(bytes: Int, weight: WorkWeight) {
        #expect(WorkWeight(bytes: bytes) == weight)
    }

    @Test("maps items side by side, in order", arguments: [0, 1, 2, 100], [1, 2, 7])
    func maps(count: Int, width: Int) async throws {
        let pool = BlockingPool(name: "test", threads: 2, queue: 10)

        let results = try await pool.map(Array(0..<count), width: width, deadline: .seconds(30)) { $0 * 2 }

        #expect(results == (0..<count).map { $0 * 2 })
        pool.stop()
    }

    @Test("a map throws what one item threw, and begins no more of them", arguments: [1, 2])
    func mapThrows(width: Int) async throws {
        struct Refused: Error {}
        let pool = BlockingPool(name: "test", threads: 2, queue: 10)
        let begun = Atomic<Int>(0)

        await #expect(throws: Refused.self) {
            try await pool.map(Array(0..<1_000), width: width, deadline: .seconds(30)) { item in
                begun.wrappingAdd(1, ordering: .relaxed)
                if item == 3 { throw Refused() }
            }
        }

        if width == 1 { #expect(begun.load(ordering: .relaxed) == 4) }
        pool.stop()
    }
}
