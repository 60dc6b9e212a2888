import Kernel
import Synchronization
import Testing

@Suite("Threads that run tasks", .timeLimit(.minutes(5)))
struct TaskThreadsTests {
    private static let threads = TaskThreads(name: "test", count: 2)

    private actor Sum {
        private var total = 0

        /// Whether it ran on one of the threads.
        func add(_ number: Int) -> Bool {
            total += number
            return TaskThreads.isCurrent
        }

        func get() -> Int { total }
    }

    private final class Count: Sendable {
        private let number = Atomic<Int>(0)

        var now: Int { number.load(ordering: .acquiring) }

        func add() {
            number.wrappingAdd(1, ordering: .acquiringAndReleasing)
        }
    }

    @Test("run what prefers them, and what comes back to it after a wait")
    func comesBack() async {
        let pool = BlockingPool(name: "elsewhere", threads: 1, queue: 10)

        let places = await withTaskExecutorPreference(Self.threads) {
            let first = TaskThreads.isCurrent
            let other = try? await pool.run(deadline: .seconds(30)) { TaskThreads.isCurrent }
            return (first, other, TaskThreads.isCurrent)
        }

        #expect(places.0 && places.1 == false && places.2)
        #expect(!TaskThreads.isCurrent)
        pool.stop()
    }

    @Test("run the children of such a task, and actors it calls")
    func inherits() async {
        let sum = Sum()

        let areThere = await withTaskExecutorPreference(Self.threads) {
            await withTaskGroup(of: Bool.self) { group in
                for number in 1...100 {
                    group.addTask {
                        let isThere = TaskThreads.isCurrent
                        return await sum.add(number) && isThere
                    }
                }
                return await group.allSatisfy { $0 }
            }
        }

        #expect(areThere)
        #expect(await sum.get() == 5050)
    }

    @Test("run others while all but one of them block, or all", arguments: [1, 2])
    func blocks(count: Int) async {
        let threads = TaskThreads(name: "test", count: count)
        let mayGo = Count()

        let order = await withTaskExecutorPreference(threads) {
            await withTaskGroup(of: String.self) { group in
                group.addTask {
                    while mayGo.now == 0 {}
                    return "blocked"
                }
                group.addTask {
                    for _ in 0..<1000 { await Task.yield() }
                    mayGo.add()
                    return "free"
                }
                var order: [String] = []
                for await name in group { order.append(name) }
                return order
            }
        }

        #expect(order.sorted() == ["blocked", "free"])
    }

    @Test("lose no task, whoever starts it and however they sleep in between", arguments: [1, 3])
    func losesNone(count: Int) async {
        let threads = TaskThreads(name: "test", count: count)
        let done = Count()

        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<2_000 {
                        await withTaskExecutorPreference(threads) {
                            if TaskThreads.isCurrent { done.add() }
                        }
                    }
                }
            }
        }

        #expect(done.now == 8_000)
    }
}
