import Kernel
import Testing

@Suite("A budget of memory")
struct MemoryBudgetTests {
    @Test("gives out what it has, and again what came back")
    func gives() async throws {
        let budget = MemoryBudget(bytes: 100)
        var first: MemoryBudget.Share? = try await budget.share(of: 60, within: .seconds(60))

        let second = try await budget.share(of: 40, within: .seconds(60))
        await #expect(throws: ServiceError.self) { try await budget.share(of: 1, within: .milliseconds(10)) }
        first = nil
        let third = try await budget.share(of: 60, within: .seconds(60))

        withExtendedLifetime((first, second, third)) {}
    }

    @Test("serves in the order of coming, so that small ones do not overtake a large one")
    func order() async throws {
        let budget = MemoryBudget(bytes: 100)
        let held = Box<MemoryBudget.Share?>(try await budget.share(of: 60, within: .seconds(60)))
        let served = Box<[Int]>([])

        await withTaskGroup(of: Void.self) { group in
            for (number, bytes) in [(1, 100), (2, 1)] {
                group.addTask {
                    let share = try? await budget.share(of: bytes, within: .seconds(60))
                    served.withLock { if share != nil { $0.append(number) } }
                }
                while budget.waiting < number { await Task.yield() }
            }
            #expect(served.withLock { $0.isEmpty })
            held.withLock { $0 = nil }
        }

        #expect(served.withLock { $0 } == [1, 2])
    }

    @Test("lets whoever needs more than all of it have it alone")
    func more() async throws {
        let budget = MemoryBudget(bytes: 100)

        let all = try await budget.share(of: 1_000, within: .seconds(60))

        await #expect(throws: ServiceError.self) { try await budget.share(of: 1, within: .milliseconds(10)) }
        withExtendedLifetime(all) {}
    }

    @Test("forgets whoever stops waiting, and serves those behind")
    func cancelled() async throws {
        let budget = MemoryBudget(bytes: 100)
        let held = try await budget.share(of: 60, within: .seconds(60))

        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask { (try? await budget.share(of: 100, within: .milliseconds(50))) != nil }
            while budget.waiting < 1 { await Task.yield() }
            group.addTask { (try? await budget.share(of: 40, within: .seconds(60))) != nil }
            var outcomes: [Bool] = []
            for try await outcome in group { outcomes.append(outcome) }
            #expect(outcomes == [false, true] || outcomes == [true, false])
        }
        await #expect(throws: CancellationError.self) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await budget.share(of: 100, within: .seconds(60)) }
                group.cancelAll()
                try await group.next()
            }
        }
        #expect(budget.waiting == 0)
        withExtendedLifetime(held) {}
    }

    @Test("never gives out more than it has, whoever comes and goes")
    func bounded() async throws {
        let budget = MemoryBudget(bytes: 1_000)
        let held = Box((now: 0, most: 0))

        await withTaskGroup(of: Void.self) { group in
            for index in 0..<400 {
                group.addTask {
                    let bytes = 1 + index * 7 % 400
                    guard let share = try? await budget.share(of: bytes, within: .seconds(60)) else { return }
                    held.withLock { $0 = ($0.now + bytes, max($0.most, $0.now + bytes)) }
                    await Task.yield()
                    held.withLock { $0.now -= bytes }
                    withExtendedLifetime(share) {}
                }
            }
        }

        #expect(held.withLock { $0.most } <= 1_000)
        #expect(held.withLock { $0.now } == 0)
    }
}

/// A value that tasks share.
private final class Box<Value: Sendable>: Sendable {
    private let value: Locked<Value>

    init(_ value: Value) {
        self.value = Locked(value)
    }

    func withLock<Result: Sendable>(_ body: @Sendable (inout Value) -> Result) -> Result {
        value.withLock { value in body(&value) }
    }
}
