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
        let served = Box<[Int?]>([])

        await withTaskGroup(of: Void.self) { group in
            for (number, bytes) in [(1, 100), (2, 1)] {
                group.addTask {
                    let share = try? await budget.share(of: bytes, within: .seconds(60))
                    served.withLock { $0.append(share.map { _ in number }) }
                }
                await budget.isWaitedFor(by: number, unless: { served.withLock { !$0.isEmpty } })
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
        let ended = Box(0)
        func waiter(for bytes: Int) -> Task<Bool, Never> {
            Task {
                let share = try? await budget.share(of: bytes, within: .seconds(60))
                ended.withLock { $0 += 1 }
                return share != nil
            }
        }

        let first = waiter(for: 100)
        await budget.isWaitedFor(by: 1, unless: { ended.withLock { $0 > 0 } })
        let second = waiter(for: 40)
        await budget.isWaitedFor(by: 2, unless: { ended.withLock { $0 > 0 } })
        #expect(ended.withLock { $0 } == 0)
        first.cancel()

        #expect(await [first.value, second.value] == [false, true])
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

extension MemoryBudget {
    /// Returns when so many wait, or when one of them has ended and they never will be.
    fileprivate func isWaitedFor(by count: Int, unless hasEnded: () -> Bool) async {
        while waiting < count, !hasEnded() { await Task.yield() }
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
