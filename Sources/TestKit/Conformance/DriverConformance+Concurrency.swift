import Persistence
import Testing

extension DriverConformance {
    static let concurrencyRules = [
        Rule("fifty writers of one row lose no update", counting),
        Rule("a closure that fails takes no neighbour along", neighbours),
        Rule("transactions that lock rows in opposite order both end", deadlocks),
        Rule("reads go on beside each other and beside a write", manyReads),
        Rule("a cancelled read ends soon", cancelledRead),
        Rule("a cancelled write that runs is committed or undone as a whole", cancelledWrite),
        Rule("cancelled closures that wait never run", cancelledQueue),
    ]

    private static func counting(_ store: TestStore) async throws {
        try await insertCounters(1...2, store)

        try await withThrowingTaskGroup { group in
            for _ in 0..<50 {
                group.addTask {
                    for _ in 0..<4 { try await store.database.write { try increment(1, in: $0) } }
                }
            }
            try await group.waitForAll()
        }
        let values = try await store.database.read { [try value(of: 1, in: $0), try value(of: 2, in: $0)] }

        #expect(values == [200, 0])
    }

    private static func neighbours(_ store: TestStore) async throws {
        try await insertCounters([0], store)

        let failures = await withTaskGroup(of: Bool.self) { group in
            for id in 1...60 {
                group.addTask {
                    do {
                        try await store.database.write { tx in
                            try tx.insert(into: "counters", ["id": id, "value": id])
                            switch id % 3 {
                            case 0: throw Planned(number: id)
                            case 1: try tx.insert(into: "counters", ["id": 0, "value": 1])
                            default: break
                            }
                        }
                        return false
                    } catch {
                        return true
                    }
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        let ids = try await store.database.read { tx in
            try tx.all("SELECT id FROM counters WHERE id > 0 ORDER BY id") { try $0.int(0) }
        }

        #expect(failures == 40)
        #expect(ids == (1...60).filter { $0 % 3 == 2 })
    }

    private static func deadlocks(_ store: TestStore) async throws {
        try await insertCounters(1...2, store)
        let (first, second) = (Gate(), Gate())
        let tries = Tally()
        // SQLite's one writer never sees the other gate open.
        let patience = store.engine == .sqlite ? 100 : 60_000

        // On an engine with row locks each waits for the other's second row: one must be undone and run again.
        async let one: Void = store.database.write { tx in
            tries.add()
            try increment(1, in: tx)
            first.open()
            second.block(milliseconds: patience)
            try increment(2, in: tx)
        }
        async let other: Void = store.database.write { tx in
            tries.add()
            try increment(2, in: tx)
            second.open()
            first.block(milliseconds: patience)
            try increment(1, in: tx)
        }
        _ = try await (one, other)
        let values = try await store.database.read { [try value(of: 1, in: $0), try value(of: 2, in: $0)] }

        #expect(values == [2, 2])
        #expect(store.engine == .sqlite || tries.value > 2)
    }

    private static func manyReads(_ store: TestStore) async throws {
        try await insertCounters(0..<50, store)
        let (isWriting, mayEnd) = (Gate(), Gate())

        async let write = store.database.write { tx in
            try tx.execute("UPDATE counters SET value = 1")
            isWriting.open()
            return mayEnd.block()
        }
        await isWriting.wait()
        let sums = try await withThrowingTaskGroup { group in
            for id in 0..<100 {
                group.addTask {
                    try await store.database.read { tx in
                        try tx.count("SELECT SUM(value) FROM counters WHERE id <= \(id % 50)")
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        mayEnd.open()

        #expect(try await write)
        #expect(sums == Array(repeating: 0, count: 100))
    }

    /// A statement that takes minutes on every engine.
    private static let endless: SQL = """
        SELECT COUNT(*) FROM counters a CROSS JOIN counters b CROSS JOIN counters c CROSS JOIN counters d
        WHERE a.id + b.id + c.id + d.id = -1
        """

    private static func cancelledRead(_ store: TestStore) async throws {
        try await insertCounters(0..<300, store)
        let hasBegun = Gate()
        var start = ContinuousClock.now

        let error = await withTaskGroup(of: (any Error)?.self) { group in
            group.addTask {
                do {
                    _ = try await store.database.read { tx in
                        hasBegun.open()
                        return try tx.count(endless)
                    }
                    return nil
                } catch {
                    return error
                }
            }
            await hasBegun.wait()
            start = .now
            group.cancelAll()
            return await group.next() ?? nil
        }
        let time = start.duration(to: .now)
        let count = try await store.database.read { try $0.count("SELECT COUNT(*) FROM counters") }

        #expect(error is CancellationError)
        #expect(time < .seconds(40), "a read that is not cancelled ends after a minute")
        #expect(count == 300)
    }

    private static func cancelledWrite(_ store: TestStore) async throws {
        try await insertCounters([1], store)
        let (hasBegun, mayEnd) = (Gate(), Gate())

        let returned = await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    try await store.database.write { tx in
                        try increment(1, in: tx)
                        hasBegun.open()
                        mayEnd.block()
                        try tx.insert(into: "counters", ["id": 2, "value": 0])
                    }
                    return true
                } catch {
                    return false
                }
            }
            await hasBegun.wait()
            group.cancelAll()
            mayEnd.open()
            return await group.next() ?? false
        }
        let isWhole = await isEventually(store) { tx in
            try value(of: 1, in: tx) == 1 && value(of: 2, in: tx) == 0
        }
        try await store.database.write { _ = try $0.execute("UPDATE counters SET value = 8") }

        #expect(isWhole || !returned)
        #expect(isWhole, "a write that runs goes on to its commit, whatever becomes of the task")
    }

    private static func isEventually(
        _ store: TestStore,
        _ condition: @escaping @Sendable (Transaction) throws -> Bool
    ) async -> Bool {
        do {
            return try await eventually { try await store.database.read(condition) }
        } catch {
            return false
        }
    }

    private static func cancelledQueue(_ store: TestStore) async throws {
        try await insertCounters([1], store)
        let mayEnd = Gate()
        let begun = Gate()
        let ended = Tally()

        let (errors, increments) = await withTaskGroup(of: Bool.self) { blockers in
            // More than any driver has connections hold row 1 or wait for it; on a slow machine for too long.
            for _ in 0..<20 {
                blockers.addTask {
                    do {
                        try await store.database.write { tx in
                            try increment(1, in: tx)
                            begun.open()
                            mayEnd.block()
                        }
                        return true
                    } catch {
                        return false
                    }
                }
            }
            await begun.wait()
            let errors = await withTaskGroup(of: Bool.self) { group in
                for id in 2...41 {
                    group.addTask {
                        do {
                            try await store.database.write { tx in
                                ended.add()
                                try tx.insert(into: "counters", ["id": id, "value": 0])
                            }
                            return false
                        } catch {
                            return error is CancellationError
                        }
                    }
                }
                group.cancelAll()
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            mayEnd.open()
            return (errors, await blockers.reduce(0) { $0 + ($1 ? 1 : 0) })
        }
        let rows = try await store.database.read { tx in
            [try value(of: 1, in: tx), try tx.count("SELECT COUNT(*) FROM counters WHERE id > 1")]
        }

        #expect(rows.first == increments && increments > 0)
        #expect(rows.last == 40 - errors)
        #expect(ended.value == 40 - errors)
        #expect(errors > 0)
    }
}
