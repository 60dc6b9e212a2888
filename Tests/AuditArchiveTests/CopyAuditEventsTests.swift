import AuditArchive
import Events
import Jobs
import Kernel
import Persistence
import Telemetry
import TestKit
import Testing

@Suite("Copying the audit log to DynamoDB, as moto plays it", .enabled(if: motoURL != nil, motoIsOff))
struct CopyAuditEventsTests {
    private let account: Account

    init() throws {
        account = try Account()
    }

    @Test("brings every event there, with its chain, also those from before", arguments: Engine.available)
    func copies(engine: Engine) async throws {
        try await withArchive(engine) { bench in
            let other = AuditEvent.Scope.organization(bench.clock.effects.id())
            try await bench.append(60)
            try await bench.append(2, in: other, by: .system("test"), details: [])
            try await bench.append(1, in: .server, by: .anonymous(from: nil), subject: "")
            let table = try await bench.open(try await account.makeTable(), at: account.url)

            try await bench.settle(try await bench.runner(table))

            for (scope, count) in [(bench.scope, 60), (other, 2), (.server, 1)] {
                let chain = try await table.chain(of: scope)
                let records = try await bench.events(of: scope)
                let page = try await table.page(DynamoAuditTable.Query(scope, limit: 1000))
                #expect(records.count == count)
                #expect(page.items.reversed().map(\.event) == records.map(\.event))
                #expect(page.items.reversed().map(\.hash) == records.map(\.hash))
                #expect(page.items.allSatisfy { $0.fits && $0.cut.isEmpty })
                #expect(chain.events == count && chain.firstBreak == nil && chain.sequence == count)
                #expect(chain.hash == records.last?.hash)
            }
            #expect(try await bench.marks().sorted() == [1, 2, 60])
        }
    }

    @Test("goes on where it was, and looks again by itself", arguments: Engine.available)
    func goesOn(engine: Engine) async throws {
        try await withArchive(engine) { bench in
            let table = try await bench.open(try await account.makeTable(), at: account.url)
            let runner = try await bench.runner(table)
            try await bench.append(3)
            try await bench.settle(runner)
            try await bench.append(4)

            bench.clock.advance(by: .seconds(5))
            try await bench.settle(runner)

            let chain = try await table.chain(of: bench.scope)
            #expect(chain.events == 7 && chain.sequence == 7 && chain.firstBreak == nil)
            #expect(try await bench.marks() == [7])
        }
    }

    @Test("takes a long chain in one go, and shorter ones beside it", arguments: Engine.available)
    func takesLongChains(engine: Engine) async throws {
        try await withArchive(engine) { bench in
            let other = AuditEvent.Scope.organization(bench.clock.effects.id())
            try await bench.append(520, details: [])
            try await bench.append(1, in: other)
            let table = try await bench.open(try await account.makeTable(), at: account.url)

            try await bench.settle(try await bench.runner(table))

            #expect(try await table.chain(of: bench.scope).sequence == 520)
            #expect(try await table.chain(of: other).sequence == 1)
        }
    }

    @Test("writes again what it was not sure of, which changes nothing", arguments: FailingDatabase.Failure.allCases)
    func repeats(failure: FailingDatabase.Failure) async throws {
        try await withArchive(.sqlite) { bench in
            try await bench.append(30)
            let name = try await account.makeTable()
            let table = try await bench.open(name, at: account.url)
            let failures = Locked(2)
            let failing = FailingDatabase(base: bench.database) {
                failures.withLock { left in
                    left -= 1
                    return left >= 0 ? failure : nil
                }
            }
            let runner = try await bench.runner(table, on: Database(driver: failing))

            for _ in 0..<3 {
                try await bench.settle(runner)
                bench.clock.advance(by: .seconds(60))
            }

            #expect(failures.withLock { $0 } < 2)
            #expect(try await account.keys(in: name, of: bench.scope).count == 30)
            #expect(try await table.chain(of: bench.scope).firstBreak == nil)
            #expect(try await bench.marks() == [30])
        }
    }

    @Test("is the same with several processes at it", arguments: Engine.available)
    func sharesWork(engine: Engine) async throws {
        try await withArchive(engine) { bench in
            try await bench.append(120)
            let name = try await account.makeTable()
            let kinds = try await withThrowingTaskGroup(of: JobRunner.Kind.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        let table = try await bench.open(name, at: account.url)
                        return AuditArchive(table).job(
                            database: bench.database,
                            effects: bench.clock.effects,
                            metrics: MetricsRegistry()
                        )
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            // As if each had lost its lease to the others.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for kind in kinds {
                    let context = JobContext(id: bench.clock.effects.id(), attempt: 1, log: .silent)
                    group.addTask { _ = try await kind.run("", context) }
                }
                try await group.waitForAll()
            }

            #expect(try await account.keys(in: name, of: bench.scope).count == 120)
            #expect(try await bench.marks() == [120])
        }
    }

    @Test("keeps events while the table is away, and everything once it was made anew")
    func survivesLoss() async throws {
        try await withArchive(.sqlite) { bench in
            let name = try await account.makeTable()
            let table = try await bench.open(name, at: account.url)
            let runner = try await bench.runner(table)
            try await bench.append(5)
            try await bench.settle(runner)

            try await account.call("DeleteTable", #"{"TableName":"\#(name)"}"#)
            try await bench.append(5)
            bench.clock.advance(by: .seconds(5))
            try await bench.settle(runner)
            let error = try await bench.lastError()
            _ = try await account.makeTable(name: name)
            bench.clock.advance(by: .seconds(60))
            try await bench.settle(runner)

            #expect(error?.contains("does not exist, or not in this region and account") == true, "\(error ?? "")")
            #expect(bench.log.entries.contains { $0.message == "job failed; it is tried again" })
            #expect(bench.log.entries.contains { $0.message == "the audit log is copied again" })
            #expect(try await table.chain(of: bench.scope).events == 10)
            #expect(try await table.chain(of: bench.scope).firstBreak == nil)
        }
    }

    @Test(
        "copies a log that was changed as it is, says so, and lets the table show it too",
        arguments: [
            ("UPDATE audit_events SET subject = 'acme/site/other' WHERE sequence = 3", 3, 5),
            ("DELETE FROM audit_events WHERE sequence = 2", 2, 4),
            ("DELETE FROM audit_events WHERE sequence = 1", 1, 4),
        ] as [(SQL, Int64, Int)]
    )
    func showsChanges(change: SQL, place: Int64, events: Int) async throws {
        try await withArchive(.sqlite) { bench in
            try await bench.append(5)
            _ = try await bench.database.write { tx in try tx.execute(change) }
            let table = try await bench.open(try await account.makeTable(), at: account.url)

            try await bench.settle(try await bench.runner(table))

            let chain = try await table.chain(of: bench.scope)
            let errors = bench.log.entries.filter { $0.level == .error }
            #expect(chain.firstBreak == place && chain.events == events)
            #expect(errors.first?.message == "the audit log was changed: an event does not fit the one before it")
            #expect(errors.first?["sequence"] == .integer(Int(place)))
            #expect(try await bench.marks() == [5])
        }
    }

    @Test("says that the end of a chain is gone, and goes on with the others")
    func showsLostEnds() async throws {
        try await withArchive(.sqlite) { bench in
            try await bench.append(5)
            try await bench.append(3, in: .server)
            _ = try await bench.database.write { tx in
                try tx.execute("DELETE FROM audit_events WHERE sequence > 3 AND scope <> 'server'")
            }
            let table = try await bench.open(try await account.makeTable(), at: account.url)
            let runner = try await bench.runner(table)

            try await bench.settle(runner)
            bench.clock.advance(by: .seconds(5))
            try await bench.settle(runner)

            #expect(try await table.chain(of: .server).sequence == 3)
            #expect(try await table.chain(of: bench.scope).sequence == 3)
            #expect(try await bench.lastError()?.contains("has no events behind number 3") == true)
        }
    }

    @Test("cuts what is too long for an item, says so in it, and goes on")
    func cuts() async throws {
        try await withArchive(.sqlite) { bench in
            try await bench.append(1)
            let long = [
                AuditEvent.Detail("kept", "as it is"),
                AuditEvent.Detail("long", String(repeating: "\"ä\n", count: 200_000)),
                AuditEvent.Detail("lost", "x"),
            ]
            try await bench.append(1, details: long)
            try await bench.append(1, subject: String(repeating: "s", count: 500_000), details: [])
            try await bench.append(30, details: [AuditEvent.Detail("large", String(repeating: "x", count: 390_000))])
            let table = try await bench.open(try await account.makeTable(), at: account.url)

            try await bench.settle(try await bench.runner(table))

            let chain = try await table.chain(of: bench.scope)
            let items = try await table.page(DynamoAuditTable.Query(bench.scope, limit: 100)).items
            let records = try await bench.events()
            #expect(chain.events == 33 && chain.sequence == 33 && chain.firstBreak == nil && chain.cut == 2)
            #expect(chain.hash == records.last?.hash)
            let (details, subject) = (items[items.count - 2], items[items.count - 3])
            #expect(details.cut == [.details] && details.hash == records[1].hash)
            #expect(details.event.details.map(\.name) == ["kept", "long"])
            #expect(details.event.details[0].value == "as it is")
            #expect(long[1].value.hasPrefix(details.event.details[1].value))
            #expect(details.event.details[1].value.utf8.count > 200_000)
            #expect(subject.cut == [.subject] && subject.event.subject == String(repeating: "s", count: 65_536))
        }
    }

    @Test("does nothing where no table is named, and keeps the schedule of an earlier start")
    func rests() async throws {
        try await withArchive(.sqlite) { bench in
            let table = try await bench.open(try await account.makeTable(), at: account.url)
            let configured = try await bench.runner(table)
            try await bench.append(2)

            try await bench.settle(bench.runner(AuditArchive.absent))
            let before = try await table.chain(of: bench.scope).events
            bench.clock.advance(by: .seconds(60))
            try await bench.settle(configured)

            #expect(before == 0)
            #expect(try await table.chain(of: bench.scope).events == 2)
        }
    }
}
