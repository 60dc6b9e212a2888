import AuditArchive
import Crypto
import Events
import Kernel
import TestKit
import Testing

@Suite("A table of DynamoDB for the audit log, as moto plays it", .enabled(if: motoURL != nil, motoIsOff))
struct DynamoAuditTableTests {
    private let account: Account

    init() throws {
        account = try Account()
    }

    /// A table with events of two people, of a machine, and of another organization; a second apart.
    private func withEvents(
        _ body: (ArchiveBench, DynamoAuditTable, _ name: String, _ other: UserID) async throws -> Void
    ) async throws {
        try await withArchive(.sqlite) { bench in
            let other: UserID = bench.clock.effects.id()
            try await bench.append(20)
            try await bench.append(10, by: Actor(kind: .user, userID: other, login: "ops"))
            try await bench.append(5, by: .system("job"))
            try await bench.append(5)
            try await bench.append(3, in: .organization(bench.clock.effects.id()))
            let name = try await account.makeTable()
            let table = try await bench.open(name, at: account.url)
            try await bench.settle(try await bench.runner(table))
            try await body(bench, table, name, other)
        }
    }

    @Test("gives an organization's events, newest first, in pages of any size", arguments: [1, 7, 40, 1000])
    func pages(limit: Int) async throws {
        try await withEvents { bench, table, _, _ in
            var query = DynamoAuditTable.Query(bench.scope, limit: limit)
            var found: [AuditEvent] = []
            repeat {
                let page = try await table.page(query)
                #expect(page.items.count <= limit && page.unreadable == 0)
                found += page.items.map(\.event)
                query.continuation = page.next
            } while query.continuation != nil

            let expected = try await bench.events().reversed().map(\.event)
            #expect(found == expected)
        }
    }

    @Test("gives what one person did there")
    func ofOnePerson() async throws {
        try await withEvents { bench, table, _, other in
            let own = try await table.page(DynamoAuditTable.Query(bench.scope, user: bench.user, limit: 7))
            let rest = try await table.page(
                DynamoAuditTable.Query(bench.scope, user: bench.user, limit: 100, continuation: own.next)
            )
            let others = try await table.page(DynamoAuditTable.Query(bench.scope, user: other))
            let elsewhere = try await table.page(DynamoAuditTable.Query(.server, user: other))

            let expected = try await bench.events().reversed().map(\.event)
            #expect((own.items + rest.items).map(\.event) == expected.filter { $0.actor.userID == bench.user })
            #expect(rest.items.count == 18 && rest.next == nil)
            #expect(others.items.map(\.event) == expected.filter { $0.actor.userID == other })
            #expect(elsewhere.items.isEmpty)
        }
    }

    @Test("gives what was done of one kind, by anybody or by one person, in pages", arguments: [1, 4, 100])
    func ofOneKind(limit: Int) async throws {
        try await withArchive(.sqlite) { bench in
            let other: UserID = bench.clock.effects.id()
            for _ in 0..<6 {
                try await bench.append(40)
                try await bench.append(1, .stackDeleted)
                try await bench.append(1, .stackDeleted, by: Actor(kind: .user, userID: other, login: "ops"))
            }
            let table = try await bench.open(try await account.makeTable(), at: account.url)
            try await bench.settle(try await bench.runner(table))
            let events = try await bench.events().reversed().map(\.event).filter { $0.action == .stackDeleted }

            for user in [nil, other] {
                var query = DynamoAuditTable.Query(bench.scope, user: user, action: .stackDeleted, limit: limit)
                var found: [AuditEvent] = []
                repeat {
                    let page = try await table.page(query)
                    #expect(page.items.count <= limit)
                    found += page.items.map(\.event)
                    query.continuation = page.next
                } while query.continuation != nil

                #expect(found == events.filter { user == nil || $0.actor.userID == user })
                #expect(found.count == (user == nil ? 12 : 6))
            }
        }
    }

    @Test(
        "gives what happened from a moment on and before another",
        arguments: [(nil, nil), (10, nil), (nil, 10), (10, 30), (10, 11), (10, 10), (30, 10), (0, 1000)]
            as [(Int?, Int?)],
        [false, true]
    )
    func ofSomeTime(range: (from: Int?, until: Int?), isOfPerson: Bool) async throws {
        try await withEvents { bench, table, _, _ in
            let events = try await bench.events().map(\.event)
            let start = events[0].at
            let from = range.from.map { start.advanced(by: .seconds($0)) }
            let until = range.until.map { start.advanced(by: .seconds($0)) }
            let user = isOfPerson ? bench.user : nil

            let page = try await table.page(
                DynamoAuditTable.Query(bench.scope, user: user, from: from, until: until, limit: 100)
            )

            let expected = events.filter { event in
                (from.map { event.at >= $0 } ?? true) && (until.map { event.at < $0 } ?? true)
                    && (user == nil || event.actor.userID == user)
            }
            #expect(page.items.reversed().map(\.event) == expected)
        }
    }

    @Test("takes a continuation of the same list only")
    func refusesContinuations() async throws {
        try await withEvents { bench, table, _, _ in
            let newest = try await table.page(DynamoAuditTable.Query(bench.scope, limit: 1))
            let start = try await bench.events()[0].event.at
            var early = DynamoAuditTable.Query(bench.scope, until: start.advanced(by: .seconds(5)))
            early.continuation = newest.next

            for query in [
                early, DynamoAuditTable.Query(bench.scope, continuation: "x"),
                DynamoAuditTable.Query(bench.scope, continuation: "2030-01-01T00:00:00.000000Z"),
                DynamoAuditTable.Query(bench.scope, continuation: ""),
            ] {
                let error = await #expect(throws: ServiceError.self) { try await table.page(query) }
                #expect(error?.code == .invalidArgument)
            }
        }
    }

    @Test(
        "shows what was changed in it",
        arguments: [
            ("SET subject = :v", "acme/site/other", 7), ("SET actor_login = :v", "eve", 7), ("SET #h = :v", "00", 7),
            ("SET #h = :v", String(repeating: "ab", count: 32), 7), ("SET details = :v", "[]", 7),
            ("SET previous_hash = :v", String(repeating: "ab", count: 32), 7), ("SET org_user_id = :v", "x", 7),
            ("SET #s = :v", "6", 6), ("SET #s = :v", "8", 7), ("REMOVE details", nil, 7),
        ] as [(String, String?, Int64)]
    )
    func showsChanges(update: String, value: String?, place: Int64) async throws {
        try await withEvents { bench, table, name, _ in
            let key = try await account.keys(in: name, of: bench.scope)[6]
            let values = value.map { #","ExpressionAttributeValues":{":v":{"S":"\#($0)"}}"# } ?? ""
            let names = [("#h", "hash"), ("#s", "sequence")].filter { update.contains($0.0) }
                .map { #","ExpressionAttributeNames":{"\#($0.0)":"\#($0.1)"}"# }.joined()
            try await account.call(
                "UpdateItem",
                """
                {"TableName":"\(name)","Key":{"org_id":{"S":"\(bench.scope.key)"},"timestamp_id":{"S":"\(key)"}},\
                "UpdateExpression":"\(update)"\(values)\(names)}
                """
            )

            let chain = try await table.chain(of: bench.scope)

            #expect(chain.firstBreak == place, "\(chain)")
        }
    }

    @Test("shows what was taken out of it", arguments: [0, 6, 38])
    func showsGaps(place: Int) async throws {
        try await withEvents { bench, table, name, _ in
            let key = try await account.keys(in: name, of: bench.scope)[place]
            try await account.call(
                "DeleteItem",
                #"{"TableName":"\#(name)","Key":{"org_id":{"S":"\#(bench.scope.key)"},"timestamp_id":{"S":"\#(key)"}}}"#
            )

            let chain = try await table.chain(of: bench.scope)

            #expect(chain.firstBreak == Int64(place + 1))
            #expect(chain.sequence == Int64(place) && chain.events == 39)
        }
    }

    @Test("counts what nobody can read, and gives the rest")
    func countsStrangers() async throws {
        try await withEvents { bench, table, name, _ in
            try await account.call(
                "PutItem",
                """
                {"TableName":"\(name)","Item":{"org_id":{"S":"\(bench.scope.key)"},"timestamp_id":{"S":"2031"},\
                "text":{"S":"of somebody else"}}}
                """
            )

            let page = try await table.page(DynamoAuditTable.Query(bench.scope, limit: 100))
            let chain = try await table.chain(of: bench.scope)

            #expect(page.unreadable == 1 && page.items.count == 40)
            #expect(chain.unreadable == 1 && chain.events == 40 && chain.firstBreak == nil)
        }
    }

    @Test("is read in the order of its chain, whatever the clock said")
    func followsTheChain() async throws {
        try await withArchive(.sqlite) { bench in
            try await bench.append(5)
            bench.clock.advance(by: .seconds(-100))
            try await bench.append(5)
            bench.clock.advance(by: .seconds(1000))
            let table = try await bench.open(try await account.makeTable(), at: account.url)

            try await bench.settle(try await bench.runner(table))

            let chain = try await table.chain(of: bench.scope)
            let page = try await table.page(DynamoAuditTable.Query(bench.scope))
            #expect(chain.firstBreak == nil && chain.sequence == 10)
            #expect(page.items.map(\.event.sequence) == [5, 4, 3, 2, 1, 10, 9, 8, 7, 6])
        }
    }

    @Test("that is not there is named at the start")
    func missing() async throws {
        try await withArchive(.sqlite) { bench in
            let error = await #expect(throws: ServiceError.self) {
                try await bench.open("audit-nowhere", at: account.url)
            }

            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("audit-nowhere") == true)
            #expect(error?.message.hasSuffix("does not exist, or not in this region and account") == true)
        }
    }
}
