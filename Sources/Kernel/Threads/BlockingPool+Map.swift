import Synchronization

extension BlockingPool {
    /// Runs `work` for each item, on up to `width` threads side by side.
    ///
    /// - Parameter deadline: the longest wait for a turn.
    /// - Returns: the results in the order of the items.
    /// - Throws: what `work` throws first, and what `run` throws; items not begun by then are left out.
    package func map<Item: Sendable, Result: Sendable>(
        _ items: [Item],
        width: Int = 2,
        weight: WorkWeight = .light,
        deadline: Duration,
        _ work: @escaping @Sendable (Item) throws -> Result
    ) async throws -> [Result] {
        guard items.count > 1, width > 1 else {
            return try await run(weight, deadline: deadline) { try items.map(work) }
        }
        let queue = ItemQueue(count: items.count)
        return try await withThrowingTaskGroup(of: [(Int, Result)].self) { group in
            for _ in 0..<min(width, items.count) {
                group.addTask {
                    try await self.run(weight, deadline: deadline) {
                        var results: [(Int, Result)] = []
                        while let index = queue.next() {
                            do {
                                results.append((index, try work(items[index])))
                            } catch {
                                queue.stop()
                                throw error
                            }
                        }
                        return results
                    }
                }
            }
            var all: [(Int, Result)] = []
            for try await results in group { all += results }
            return all.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}

/// The indices of a list, each given to one asker.
private final class ItemQueue: Sendable {
    private let count: Int
    private let position = Atomic<Int>(0)

    init(count: Int) {
        self.count = count
    }

    func next() -> Int? {
        let index = position.wrappingAdd(1, ordering: .relaxed).oldValue
        return index < count ? index : nil
    }

    /// Gives out nothing more.
    func stop() {
        position.store(count, ordering: .relaxed)
    }
}
