import Foundation
import Kernel
import Persistence
import PersistenceMySQL
import Testing

@Suite("Transactions on MySQL")
struct TransactionTests {
    @Test("work on servers whose defaults are others than ours", arguments: TestServer.allCases)
    func awkwardDefaults(server: TestServer) async throws {
        try await withDriver(server) { driver in
            try await driver.createItems()

            let settings = try await driver.read { tx in
                try tx.first(
                    "SELECT @@GLOBAL.sql_mode, @@GLOBAL.time_zone, @@SESSION.sql_mode, @@SESSION.time_zone",
                    { row in try (0...3).map { try row.text($0) } }
                )
            }
            let difference = try await driver.read { tx in
                try tx.count("SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), NOW())")
            }
            let tooLong = await failure(of: {
                try await driver.write { tx in
                    try tx.insert(into: "items", ["id": 1, "name": String(repeating: "x", count: 101)])
                }
            })

            // Otherwise this test would prove nothing.
            #expect(settings?.prefix(2) == ["", "+05:45"])
            #expect(settings?[2].contains("STRICT_ALL_TABLES") == true)
            #expect(settings?[3] == "+00:00")
            #expect(difference == 0)
            guard case DatabaseError.statement(code: 1406, _, _)? = tooLong else {
                Issue.record("a value that is too long was not refused: \(String(describing: tooLong))")
                return
            }
            #expect(try await driver.count() == 0)
        }
    }

    @Test("read SQL as SQLite does", arguments: TestServer.allCases)
    func sameSQL(server: TestServer) async throws {
        try await withDriver(server) { driver in
            try await driver.createItems()
            try await driver.write { tx in try tx.insert(into: "items", ["id": 1, "name": "n"]) }

            let texts = try await driver.read { tx in
                try tx.first(
                    #"SELECT 'a' || 'b', "name", '\n', 'A' = 'a' FROM items"#,
                    { row in [try row.text(0), try row.text(1), try row.text(2), "\(try row.bool(3))"] }
                )
            }

            #expect(texts == ["ab", "n", #"\n"#, "false"])
        }
    }

    @Test("of reads see one state, whatever happens meanwhile", arguments: TestServer.allCases)
    func snapshot(server: TestServer) async throws {
        try await withDriver(server) { driver in
            try await driver.createItems()
            let other = DispatchSemaphore(value: 0)
            let began = DispatchSemaphore(value: 0)

            async let counts = driver.read { tx in
                let first = try tx.count("SELECT COUNT(*) FROM items")
                began.signal()
                other.wait()
                return [first, try tx.count("SELECT COUNT(*) FROM items")]
            }
            try await driver.waitFor(began)
            try await driver.write { tx in try tx.insert(into: "items", ["id": 1, "name": "n"]) }
            other.signal()

            #expect(try await counts == [0, 0])
            #expect(try await driver.count() == 1)
        }
    }

    @Test("that meet a deadlock are undone and asked for again", arguments: TestServer.allCases)
    func deadlock(server: TestServer) async throws {
        try await withDriver(server) { driver in
            try await driver.createItems()
            try await driver.write { tx in
                for id in 1...2 { try tx.insert(into: "items", ["id": id, "name": "n\(id)", "value": "0"]) }
            }
            let firstHasRow = DispatchSemaphore(value: 0)
            let secondHasRow = DispatchSemaphore(value: 0)

            async let first = outcome {
                try await driver.write { tx in
                    try tx.execute("UPDATE items SET value = 'first' WHERE id = 1")
                    firstHasRow.signal()
                    _ = secondHasRow.wait(timeout: .now() + 60)
                    try tx.execute("UPDATE items SET value = 'first' WHERE id = 2")
                }
            }
            async let second = outcome {
                try await driver.write { tx in
                    try tx.execute("UPDATE items SET value = 'second' WHERE id = 2")
                    secondHasRow.signal()
                    _ = firstHasRow.wait(timeout: .now() + 60)
                    try tx.execute("UPDATE items SET value = 'second' WHERE id = 1")
                }
            }
            let outcomes = await [first, second]
            let values = try await driver.read { tx in
                try tx.all("SELECT value FROM items ORDER BY id") { try $0.text(0) }
            }

            // One went through, the other is to be run again; nothing is half done.
            #expect(outcomes.count { $0 == nil } == 1)
            #expect(outcomes.compactMap { $0 as? DatabaseError }.count { $0.isRetryable } == 1)
            #expect(values == ["first", "first"] || values == ["second", "second"])
        }
    }

    @Test("cannot go on after a deadlock that their closure did not pass on", arguments: TestServer.allCases)
    func swallowedDeadlock(server: TestServer) async throws {
        var limits = MySQLConfiguration.Limits.patient
        limits.lock = .seconds(1)
        try await withDriver(server, limits: limits) { driver in
            try await driver.createItems()
            try await driver.write { tx in try tx.insert(into: "items", ["id": 1, "name": "n"]) }
            let isLocked = DispatchSemaphore(value: 0)
            let isDone = DispatchSemaphore(value: 0)

            async let holder: Void = driver.write { tx in
                try tx.execute("UPDATE items SET value = 'held' WHERE id = 1")
                isLocked.signal()
                _ = isDone.wait(timeout: .now() + 20)
            }
            try await driver.waitFor(isLocked)
            let outcome = await outcome {
                try await driver.write { tx in
                    try tx.insert(into: "items", ["id": 2, "name": "before"])
                    _ = try? tx.execute("UPDATE items SET value = 'mine' WHERE id = 1")
                    // Would be committed by itself if the connection went on.
                    _ = try? tx.execute("INSERT INTO items (id, name) VALUES (3, 'after')")
                }
            }
            isDone.signal()
            try await holder

            #expect((outcome as? DatabaseError)?.isRetryable == true)
            #expect(try await driver.count() == 1)
        }
    }

    @Test("take one statement at a time", arguments: TestServer.allCases)
    func severalStatements(server: TestServer) async throws {
        try await withDriver(server) { driver in
            try await driver.createItems()

            let error = await failure(of: {
                try await driver.run("INSERT INTO items (id, name) VALUES (1, 'a'); DROP TABLE items")
            })

            guard case DatabaseError.statement(code: 1064, _, _)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(try await driver.count() == 0)
        }
    }

    @Test("are refused a statement between another one's rows", arguments: TestServer.allCases)
    func nestedStatement(server: TestServer) async throws {
        try await withDriver(server) { driver in
            let error = await failure(of: {
                try await driver.read { tx in
                    try tx.all("SELECT 1 UNION SELECT 2") { row in
                        _ = try tx.count("SELECT 3")
                        return try row.int(0)
                    }
                }
            })

            guard case DatabaseError.statement(code: 2014, _, _)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            let answer = try await driver.read { tx in try tx.count("SELECT 4") }
            #expect(answer == 4)
        }
    }

    @Test("stop reading where they are told to, and the connection goes on", arguments: TestServer.allCases)
    func partialResult(server: TestServer) async throws {
        try await withDriver(server) { driver in
            try await driver.createItems()
            try await driver.write { tx in
                for id in 1...500 { try tx.insert(into: "items", ["id": id, "name": "n\(id)"]) }
            }

            let first = try await driver.read { tx in
                [
                    try tx.first("SELECT id FROM items ORDER BY id", { try $0.int(0) }),
                    try tx.first("SELECT id FROM items ORDER BY id DESC", { try $0.int(0) }),
                ]
            }

            #expect(first == [1, 500])
            #expect(driver.connections == 1)
        }
    }

    @Test("end when a statement takes longer than a read may", arguments: TestServer.allCases)
    func endlessRead(server: TestServer) async throws {
        var limits = MySQLConfiguration.Limits.patient
        limits.read = .seconds(5)
        try await withDriver(server, limits: limits) { driver in
            try await driver.createItems()
            try await driver.write { tx in
                for id in 1...300 { try tx.insert(into: "items", ["id": id, "name": "n\(id)"]) }
            }
            let began = ContinuousClock.now

            let error = await failure(of: {
                try await driver.read { tx in
                    try tx.count(
                        "SELECT COUNT(*) FROM items a, items b, items c, items d WHERE a.id + b.id + c.id + d.id < 0"
                    )
                }
            })

            #expect((error as? DatabaseError)?.isUnavailable == true)
            #expect(began.duration(to: .now) < .seconds(25))
            try await eventually("a short read succeeds") { (try? await driver.count()) == 300 }
        }
    }

    @Test("end between two statements when a read takes too long", arguments: TestServer.allCases)
    func slowRead(server: TestServer) async throws {
        var limits = MySQLConfiguration.Limits.patient
        limits.read = .seconds(5)
        try await withDriver(server, limits: limits) { driver in
            let rounds = Shared(0)

            let error = await failure(of: {
                try await driver.read { tx in
                    while rounds.withLock({ $0 < 6_000 }) {
                        _ = try tx.count("SELECT 1")
                        rounds.withLock { $0 += 1 }
                        usleep(10_000)
                    }
                }
            })

            #expect((error as? DatabaseError)?.isUnavailable == true)
            #expect(rounds.withLock { $0 } > 0)
        }
    }

    @Test("prepare a statement again when its table has changed", arguments: TestServer.allCases)
    func changedTable(server: TestServer) async throws {
        var limits = MySQLConfiguration.Limits.patient
        limits.connections = 1
        try await withDriver(server, limits: limits) { driver in
            try await driver.createItems()
            try await driver.write { tx in try tx.insert(into: "items", ["id": 1, "name": "n", "value": "7"]) }
            let select: @Sendable (Transaction) throws -> [String] = { tx in
                try tx.all("SELECT * FROM items") { row in
                    try (0..<3).map { try (try? row.text($0)) ?? "\(row.integer($0))" }
                }.flatMap { $0 }
            }

            let before = try await driver.read(select)
            try await driver.run("ALTER TABLE items ADD COLUMN extra BIGINT NOT NULL DEFAULT 5 FIRST")
            let widened = try await driver.read(select)
            try await driver.run("ALTER TABLE items DROP COLUMN extra")
            try await driver.run("ALTER TABLE items MODIFY value BIGINT")
            let retyped = try await driver.read(select)

            #expect(before == ["1", "n", "7"])
            #expect(widened == ["5", "1", "n"])
            #expect(retyped == ["1", "n", "7"])
        }
    }

    @Test("keep at most as many prepared statements as allowed", arguments: TestServer.allCases)
    func manyStatements(server: TestServer) async throws {
        var limits = MySQLConfiguration.Limits.patient
        limits.connections = 1
        limits.statements = 8
        try await withDriver(server, limits: limits) { driver in
            let sums = try await driver.read { tx in
                try (1...40).map { length in
                    try tx.count("SELECT COUNT(*) FROM (SELECT 1 AS x) t WHERE x IN \(list: Array(1...length))")
                }
            }
            let prepared = try await driver.read { tx in
                try tx.first("SHOW SESSION STATUS LIKE 'Prepared_stmt_count'", { try $0.text(1) })
            }

            #expect(sums == Array(repeating: 1, count: 40))
            // Of the whole server, where other tests run as well, so this is a weak check of a strong bound.
            #expect(try #require(prepared.flatMap { Int($0) }) < 2000)
        }
    }

    private func outcome(_ body: () async throws -> Void) async -> (any Error)? {
        do {
            try await body()
            return nil
        } catch {
            return error
        }
    }
}

extension MySQLDriver {
    /// Waits until a closure on another connection has come to a point.
    func waitFor(_ semaphore: DispatchSemaphore) async throws {
        try await eventually("the other transaction gets so far") { semaphore.wait(timeout: .now()) == .success }
    }
}
