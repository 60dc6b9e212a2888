import Foundation
import Kernel
import Persistence
import PersistenceMySQL
import Testing

@Suite("Faults of a MySQL server", .serialized)
struct FaultTests {
    @Test(
        "a server killed under load loses no confirmed write and comes back by itself",
        arguments: TestServer.allCases
    )
    func killed(kind: TestServer) async throws {
        try await PrivateServer.with(kind) { server in
            try await withDriver(server.configuration()) { driver in
                try await driver.createItems()
                let load = Load(driver)

                let tally = try await load.run {
                    for _ in 0..<2 {
                        try await load.confirmMore(40)
                        try await server.kill()
                        try await load.failMore(5)
                        try await server.resume()
                    }
                    try await load.confirmMore(40)
                }
                let stored = try await driver.read { tx in
                    try tx.all("SELECT id FROM items") { try $0.int(0) }
                }

                #expect(tally.confirmed.subtracting(stored).isEmpty, "a confirmed write is gone")
                #expect(
                    Set(stored).subtracting(tally.confirmed).subtracting(tally.unknown).isEmpty,
                    "a write is there that was said not to be"
                )
                #expect(tally.wrong.isEmpty)
                #expect(tally.unavailable > 0)
            }
        }
    }

    @Test("a commit whose answer is lost is said to be unknown, and it happened", arguments: TestServer.allCases)
    func lostAnswer(server: TestServer) async throws {
        try await withProxy(server) { driver, proxy in
            try await driver.createItems()
            proxy.set(.afterSending("\u{3}COMMIT"))

            let error = await failure(of: {
                try await driver.write { tx in try tx.insert(into: "items", ["id": 1, "name": "n"]) }
            })

            #expect((error as? DatabaseError)?.isUnknownCommit == true)
            try await eventually("the commit is there") { try await driver.count() == 1 }
        }
    }

    @Test("a commit that did not arrive is said to be unknown, and it did not happen", arguments: TestServer.allCases)
    func lostCommit(server: TestServer) async throws {
        try await withProxy(server) { driver, proxy in
            try await driver.createItems()
            proxy.set(.beforeSending("\u{3}COMMIT"))

            let error = await failure(of: {
                try await driver.write { tx in try tx.insert(into: "items", ["id": 1, "name": "n"]) }
            })

            #expect((error as? DatabaseError)?.isUnknownCommit == true)
            #expect(try await driver.count() == 0)
        }
    }

    @Test("a connection cut in the middle of a transaction undoes it", arguments: TestServer.allCases)
    func cutStatement(server: TestServer) async throws {
        try await withProxy(server) { driver, proxy in
            try await driver.createItems()
            for cut in [CuttingProxy.Cut.beforeSending("second"), .afterSending("second")] {
                proxy.set(cut)

                let error = await failure(of: {
                    try await driver.write { tx in
                        try tx.insert(into: "items", ["id": 1, "name": "first"])
                        try tx.insert(into: "items", ["id": 2, "name": "second"])
                    }
                })

                #expect((error as? DatabaseError)?.isUnavailable == true)
                #expect(try await driver.count() == 0)
            }
        }
    }

    @Test(
        "a connection cut before a transaction began is replaced, unnoticed by the caller",
        arguments: TestServer.allCases
    )
    func cutBegin(server: TestServer) async throws {
        try await withProxy(server) { driver, proxy in
            try await driver.createItems()
            _ = try await driver.count()
            proxy.set(.beforeSending("CONSISTENT"))
            #expect(try await driver.count() == 0)
        }
    }

    @Test("a server that goes silent is given up after the time-out", arguments: TestServer.allCases)
    func silent(server: TestServer) async throws {
        var limits = MySQLConfiguration.Limits.patient
        limits.socket = .seconds(5)
        try await withProxy(server, limits: limits) { driver, proxy in
            try await driver.createItems()
            proxy.set(.silenceAfter("quiet"))
            let start = ContinuousClock.now

            let error = await failure(of: {
                try await driver.write { tx in try tx.insert(into: "items", ["id": 1, "name": "quiet"]) }
            })

            #expect((error as? DatabaseError)?.isUnavailable == true)
            #expect(start.duration(to: .now) < .seconds(25))
            try await eventually("the server has noticed") { (try? await driver.count()) == 0 }
        }
    }

    @Test(
        "a server that turned read-only is unavailable for writes until it takes them",
        arguments: TestServer.allCases
    )
    func readOnly(kind: TestServer) async throws {
        try await PrivateServer.with(kind) { server in
            try await withDriver(server.configuration()) { driver in
                try await driver.createItems()
                try await driver.write { tx in try tx.insert(into: "items", ["id": 1, "name": "before"]) }
                let before = try await driver.read { tx in try tx.count("SELECT CONNECTION_ID()") }

                try await server.administer("SET GLOBAL read_only = 1")
                let error = await failure(of: {
                    try await driver.write { tx in try tx.insert(into: "items", ["id": 2, "name": "during"]) }
                })
                let warnings = try await driver.inspect().warnings
                try await server.administer("SET GLOBAL read_only = 0")
                try await driver.write { tx in try tx.insert(into: "items", ["id": 3, "name": "after"]) }
                let after = try await driver.read { tx in try tx.count("SELECT CONNECTION_ID()") }
                let names = try await driver.read { tx in
                    try tx.all("SELECT name FROM items ORDER BY id") { try $0.text(0) }
                }

                #expect((error as? DatabaseError)?.isUnavailable == true)
                #expect(warnings.contains(.isReadOnly))
                #expect(names == ["before", "after"])
                #expect(before != after, "every connection was replaced")
            }
        }
    }

    @Test("a write that reaches for a read is a mistake of ours, not the server's", arguments: TestServer.allCases)
    func writeInRead(server: TestServer) async throws {
        try await withDriver(server) { driver in
            try await driver.createItems()

            let error = await failure(of: {
                try await driver.read { tx in try tx.insert(into: "items", ["id": 1, "name": "n"]) }
            })

            guard case DatabaseError.statement(code: 1792, _, _)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(driver.connections == 1)
        }
    }

    @Test(
        "another transaction's lock is waited for, and then the write is to be run again",
        arguments: TestServer.allCases
    )
    func lockWait(server: TestServer) async throws {
        var limits = MySQLConfiguration.Limits.patient
        limits.lock = .seconds(1)
        try await withDriver(server, limits: limits) { driver in
            try await driver.createItems()
            try await driver.write { tx in try tx.insert(into: "items", ["id": 1, "name": "n"]) }
            let isLocked = DispatchSemaphore(value: 0)
            let mayEnd = DispatchSemaphore(value: 0)
            async let holder: Void = driver.write { tx in
                try tx.lock("items", where: "id = 1")
                isLocked.signal()
                _ = mayEnd.wait(timeout: .now() + 20)
            }
            try await driver.waitFor(isLocked)
            let start = ContinuousClock.now

            let error = await failure(of: {
                try await driver.write { tx in try tx.lock("items", where: "id = 1") }
            })
            let waited = start.duration(to: .now)
            mayEnd.signal()
            try await holder

            #expect((error as? DatabaseError)?.isRetryable == true)
            #expect(waited > .milliseconds(500) && waited < .seconds(30))
        }
    }

    private func withProxy(
        _ server: TestServer,
        limits: MySQLConfiguration.Limits = .patient,
        _ body: (MySQLDriver, CuttingProxy) async throws -> Void
    ) async throws {
        let configuration = try server.configuration(limits: limits)
        let proxy = try CuttingProxy(to: configuration.endpoint.port)
        defer { proxy.close() }
        try await withDriver(
            configuration,
            change: { inside in
                inside.endpoint = MySQLEndpoint(host: "127.0.0.1", port: proxy.port)
                // The proxy looks for words in what it passes on.
                inside.tls = nil
            },
            { driver in try await body(driver, proxy) }
        )
    }
}

/// Writers that insert one row after the other and note what they were told of each.
private final class Load: Sendable {
    struct Tally: Sendable {
        var confirmed: Set<Int> = []
        var unknown: Set<Int> = []
        var unavailable = 0
        var wrong: [String] = []
        var next = 0
    }

    private let driver: MySQLDriver
    private let tally = Locked(Tally())

    init(_ driver: MySQLDriver) {
        self.driver = driver
    }

    /// Runs writers for as long as `body` runs.
    func run(_ body: () async throws -> Void) async throws -> Tally {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { [self] in
                    while !Task.isCancelled { await writeOne() }
                }
            }
            do {
                try await body()
                group.cancelAll()
                try await group.waitForAll()
            } catch {
                group.cancelAll()
                throw error
            }
        }
        return tally.withLock { $0 }
    }

    func confirmMore(_ count: Int) async throws {
        let start = tally.withLock { $0.confirmed.count }
        try await eventually("\(count) more writes are confirmed") {
            tally.withLock { $0.confirmed.count } >= start + count
        }
    }

    func failMore(_ count: Int) async throws {
        let start = tally.withLock { $0.unavailable }
        try await eventually("\(count) more writes fail") { tally.withLock { $0.unavailable } >= start + count }
    }

    private func writeOne() async {
        let id = tally.withLock { tally in
            tally.next += 1
            return tally.next
        }
        do {
            try await driver.write { tx in try tx.insert(into: "items", ["id": id, "name": "n\(id)"]) }
            tally.withLock { _ = $0.confirmed.insert(id) }
        } catch DatabaseError.unknownCommit {
            tally.withLock { _ = $0.unknown.insert(id) }
        } catch DatabaseError.unavailable {
            tally.withLock { $0.unavailable += 1 }
            try? await Task.sleep(for: .milliseconds(5))
        } catch is CancellationError {
        } catch {
            tally.withLock { $0.wrong.append("\(error)") }
        }
    }
}
