import Foundation
import Kernel
import Persistence
import PersistenceMySQL
import Testing

@Suite("The pool of MySQL connections")
struct PoolTests {
    @Test("opens as many connections as are needed at once, and no more", arguments: TestServer.allCases)
    func bound(server: TestServer) async throws {
        var limits = MySQLConfiguration.Limits.patient
        limits.connections = 3
        try await withDriver(server, limits: limits) { driver in
            let atOnce = Shared((now: 0, most: 0))

            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<30 {
                    group.addTask {
                        try await driver.read { tx in
                            atOnce.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
                            // The first ones wait for each other, so that there are as many as there can be.
                            let patience = ContinuousClock.now + .seconds(50)
                            while atOnce.withLock({ $0.most < 3 }), ContinuousClock.now < patience { usleep(1000) }
                            _ = try tx.count("SELECT 1")
                            atOnce.withLock { $0.now -= 1 }
                        }
                    }
                }
                try await group.waitForAll()
            }

            #expect(atOnce.withLock { $0.most } == 3)
            #expect(driver.connections == 3)
        }
    }

    @Test("uses one connection for work that comes one after the other", arguments: TestServer.allCases)
    func sequential(server: TestServer) async throws {
        try await withDriver(server) { driver in
            try await driver.createItems()

            for id in 1...50 {
                try await driver.write { tx in try tx.insert(into: "items", ["id": id, "name": "n\(id)"]) }
                _ = try await driver.count()
            }

            #expect(driver.connections == 1)
        }
    }

    @Test("refuses what comes when the queue is full")
    func fullQueue() async throws {
        var limits = MySQLConfiguration.Limits.patient
        limits.connections = 1
        limits.queue = 2
        try await withDriver(.mariadb, limits: limits) { driver in
            try await driver.whileConnectionIsHeld { group in
                for _ in 0..<2 { group.addTask { try await driver.read { _ in } } }
                try await eventually("both wait") { driver.waiting == 2 }

                let error = await failure(of: { try await driver.read { _ in } })

                #expect((error as? DatabaseError)?.unavailableText == "the database has too much to do")
            }

            #expect(driver.waiting == 0)
        }
    }

    @Test("refuses what waits for too long")
    func deadline() async throws {
        var limits = MySQLConfiguration.Limits.patient
        limits.connections = 1
        limits.wait = .seconds(8)
        try await withDriver(.mariadb, limits: limits) { driver in
            try await driver.whileConnectionIsHeld { _ in
                let start = ContinuousClock.now

                let error = await failure(of: { try await driver.read { _ in } })

                #expect((error as? DatabaseError)?.unavailableText == "the database is too busy")
                #expect(start.duration(to: .now) >= .seconds(8))
            }

            #expect(driver.waiting == 0)
        }
    }

    @Test("does not run what was cancelled while it waited")
    func cancelledWhileWaiting() async throws {
        var limits = MySQLConfiguration.Limits.patient
        limits.connections = 1
        try await withDriver(.mariadb, limits: limits) { driver in
            let hasBegun = DispatchSemaphore(value: 0)
            let mayEnd = DispatchSemaphore(value: 0)
            let ran = Shared(false)
            async let holder: Void = driver.read { _ in
                hasBegun.signal()
                _ = mayEnd.wait(timeout: .now() + 60)
            }
            try await driver.waitFor(hasBegun)

            let error = try await withThrowingTaskGroup(of: (any Error)?.self) { group in
                group.addTask {
                    await failure(of: { try await driver.write { _ in ran.withLock { $0 = true } } })
                }
                try await eventually("it waits") { driver.waiting == 1 }
                group.cancelAll()
                return try await group.next() ?? nil
            }
            mayEnd.signal()
            try await holder
            try await driver.read { _ in }

            #expect(error is CancellationError)
            #expect(!ran.withLock { $0 })
        }
    }

    @Test("ends a read whose task is cancelled, and works on", arguments: TestServer.allCases)
    func cancelledRead(server: TestServer) async throws {
        var limits = MySQLConfiguration.Limits.patient
        limits.read = .seconds(60)
        limits.socket = .seconds(60)
        try await withDriver(server, limits: limits) { driver in
            let hasBegun = DispatchSemaphore(value: 0)

            let (outcome, time) = try await withThrowingTaskGroup(of: (any Error)?.self) { group in
                group.addTask {
                    await failure(of: {
                        try await driver.read { tx in
                            hasBegun.signal()
                            return try tx.count("SELECT SLEEP(50)")
                        }
                    })
                }
                try await driver.waitFor(hasBegun)
                let start = ContinuousClock.now
                group.cancelAll()
                let outcome = try await group.next() ?? nil
                return (outcome, start.duration(to: .now))
            }
            let answer = try await driver.read { tx in try tx.count("SELECT 5") }

            #expect(outcome is CancellationError)
            #expect(time < .seconds(30))
            #expect(answer == 5)
        }
    }

    @Test("closes connections that nobody uses", arguments: TestServer.allCases)
    func idle(server: TestServer) async throws {
        var limits = MySQLConfiguration.Limits.patient
        limits.idle = .milliseconds(200)
        try await withDriver(server, limits: limits) { driver in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask { try await driver.read { tx in try tx.count("SELECT SLEEP(0.1)") } }
                }
                try await group.waitForAll()
            }

            try await eventually("every connection is closed") { driver.connections == 0 }

            let answer = try await driver.read { tx in try tx.count("SELECT 6") }
            #expect(answer == 6)
        }
    }

    @Test("replaces connections that are old", arguments: TestServer.allCases)
    func age(server: TestServer) async throws {
        var limits = MySQLConfiguration.Limits.patient
        limits.age = .milliseconds(1)
        try await withDriver(server, limits: limits) { driver in
            let ids = try await connectionIDs(driver, count: 3)

            #expect(Set(ids).count == 3)
            #expect(driver.connections <= 1)
        }
    }

    @Test("keeps connections that are neither old nor dead", arguments: TestServer.allCases)
    func reuse(server: TestServer) async throws {
        var limits = MySQLConfiguration.Limits.patient
        // Asks each time.
        limits.silence = .zero
        try await withDriver(server, limits: limits) { driver in
            let ids = try await connectionIDs(driver, count: 3)

            #expect(Set(ids).count == 1)
        }
    }

    @Test("replaces a connection that the server closed, unnoticed by the caller", arguments: TestServer.allCases)
    func killedWhileIdle(server: TestServer) async throws {
        let administrator = try MySQLDriver(server.configuration(.administrator))
        try await withDriver(server) { driver in
            for isAsked in [false, true] {
                let id = try await connectionIDs(driver, count: 1)[0]
                try await administrator.run("KILL \(id)")

                let answer = try await (isAsked ? driver.write : driver.read) { tx in try tx.count("SELECT 7") }

                #expect(answer == 7)
                let next = try await connectionIDs(driver, count: 1)[0]
                #expect(next != id)
            }
        }
        await administrator.close()
    }

    @Test("lets the connections that exist do the work when the server takes no more of them")
    func crowded() async throws {
        try await PrivateServer.with(.mariadb, options: ["--max-connections=10"]) { server in
            try await withDriver(server.configuration()) { driver in
                // One is kept for administrators, and this test's second driver has closed its own.
                let answers = try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 1...60 {
                        group.addTask {
                            try await driver.read { tx in try tx.count("SELECT \(number) + SLEEP(0.02)") }
                        }
                    }
                    return try await group.reduce(0, +)
                }

                #expect(answers == 60 * 61 / 2)
                #expect(driver.connections <= 11)
            }
        }
    }

    @Test("says that the database is unavailable where there is no room at all, until there is")
    func full() async throws {
        try await PrivateServer.with(.mariadb, options: ["--max-connections=10"]) { server in
            var limits = MySQLConfiguration.Limits.patient
            limits.connections = 10
            limits.wait = .seconds(1)
            let other = try MySQLDriver(server.configuration(limits: limits))
            let mayEnd = DispatchSemaphore(value: 0)
            let begun = Shared(0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        // Whoever started the server may still be connected, so that there is no room for the last one:
                        // it waits in vain for the others then, and tries again.
                        try await eventually("it has a connection") {
                            let done: Void? = try? await other.read { _ in
                                begun.withLock { $0 += 1 }
                                _ = mayEnd.wait(timeout: .now() + 60)
                            }
                            return done != nil
                        }
                    }
                }
                try await eventually("the server is full") { begun.withLock { $0 } == 10 }
                let driver = try MySQLDriver(server.configuration())

                let error = await failure(of: { try await driver.read { tx in try tx.count("SELECT 1") } })
                for _ in 0..<10 { mayEnd.signal() }
                try await group.waitForAll()
                await other.close()
                try await eventually("there is room again") {
                    (try? await driver.read { tx in try tx.count("SELECT 1") }) == 1
                }
                await driver.close()

                #expect((error as? DatabaseError)?.isUnavailable == true)
                #expect("\(String(describing: error))".contains("max_connections"))
            }
        }
    }

    @Test("closes when the work that waits is done, and refuses what comes later", arguments: TestServer.allCases)
    func close(server: TestServer) async throws {
        var limits = MySQLConfiguration.Limits.patient
        limits.connections = 2
        let driver = try MySQLDriver(server.configuration(limits: limits))
        let done = Shared(0)
        let mayEnd = DispatchSemaphore(value: 0)

        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    try await driver.read { tx in
                        _ = mayEnd.wait(timeout: .now() + 60)
                        _ = try tx.count("SELECT 1")
                        done.withLock { $0 += 1 }
                    }
                }
            }
            try await eventually("all of it is accepted") { driver.waiting == 6 }
            async let closed: Void = driver.close()
            for _ in 0..<8 { mayEnd.signal() }
            await closed
            #expect(done.withLock { $0 } == 8)
            try await group.waitForAll()
        }
        let late = await failure(of: { try await driver.write { _ in } })

        #expect(driver.connections == 0)
        #expect((late as? DatabaseError)?.isUnavailable == true)
        await driver.close()
    }

    private func connectionIDs(_ driver: MySQLDriver, count: Int) async throws -> [Int] {
        var ids: [Int] = []
        for _ in 0..<count {
            ids.append(try await driver.read { tx in try tx.count("SELECT CONNECTION_ID()") })
        }
        return ids
    }
}

extension MySQLDriver {
    /// Runs `body` while the only connection is in use; what it starts in the group is waited for.
    fileprivate func whileConnectionIsHeld(
        _ body: (inout ThrowingTaskGroup<Void, any Error>) async throws -> Void
    ) async throws {
        let hasBegun = DispatchSemaphore(value: 0)
        let mayEnd = DispatchSemaphore(value: 0)
        async let holder: Void = read { _ in
            hasBegun.signal()
            _ = mayEnd.wait(timeout: .now() + 60)
        }
        try await waitFor(hasBegun)
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { mayEnd.signal() }
            try await body(&group)
        }
        try await holder
    }
}

extension DatabaseError {
    fileprivate var unavailableText: String? {
        guard case .unavailable(let text) = self else { return nil }
        return text
    }
}
