import Kernel
import Persistence
import Schema
import Server
import TestKit
import Testing

@Suite("A move from one database to another")
struct DatabaseMoveTests {
    @Test("takes every row of every table as it is, whatever is in it", arguments: MoveRoute.all)
    func movesAll(route: MoveRoute) async throws {
        try await route.with { source, target in
            try await Samples.fill(source.database)
            let before = try await Samples.content(of: source.database)
            let events = Locked<[DatabaseMove.Progress]>([])

            try await DatabaseMove(source.database, target.database).run { event in events.withLock { $0.append(event) }
            }

            #expect(try await Samples.content(of: target.database) == before)
            let compared = events.withLock { $0 }.compactMap { event -> DatabaseMove.Comparison? in
                if case .compared(let comparison) = event { comparison } else { nil }
            }
            #expect(compared.map(\.table) == Samples.tables.map(\.name))
            #expect(compared.allSatisfy { $0.isSame && $0.source.rows == Samples.count })
            #expect(before.allSatisfy { $0.value.count == Samples.count })
        }
    }

    @Test(
        "brings the target to the schema first, where it has none, or a part of it",
        arguments: MoveRoute.all,
        [0, 8]
    )
    func migratesTarget(route: MoveRoute, known: Int) async throws {
        try await withTestDatabase(route.source) { source in
            try await withTestDatabase(route.target, migrations: Array(Schema.migrations.prefix(known))) { target in
                try await Samples.fill(source, count: 3)

                try await DatabaseMove(source, target).run { _ in }

                try await MigrationRunner(migrations: Schema.migrations).check(target)
                #expect(try await Samples.content(of: target)["stacks"]?.count == 3)
            }
        }
    }

    @Test("refuses a source that lacks migrations, and makes nothing", arguments: MoveRoute.some)
    func refusesOldSource(route: MoveRoute) async throws {
        try await withTestDatabase(route.source, migrations: Array(Schema.migrations.prefix(3))) { source in
            try await withTestDatabase(route.target, migrations: []) { target in
                await #expect(throws: MigrationError.behind(database: 3, program: Schema.migrations.count)) {
                    try await DatabaseMove(source, target).run { _ in }
                }

                let isMigrated = try await target.read { tx in try tx.hasTable("server_values") }
                let mark = try await MoveMark.read(source)
                #expect(!isMigrated && mark == nil)
            }
        }
    }

    @Test("ends a batch with its bytes, not with its rows alone", arguments: MoveRoute.all)
    func boundsBatches(route: MoveRoute) async throws {
        try await route.with { source, target in
            try await Samples.fill(source.database, count: 60)
            let sizes = [3 << 20, 3 << 20, 8 << 20, 1] + Array(repeating: 600_000, count: 40)
            try await source.database.write { tx in
                for (number, size) in sizes.enumerated() {
                    let body = [UInt8](repeating: UInt8(number), count: size)
                    try tx.execute("UPDATE event_segments SET body = \(body) WHERE update_id = \(Self.update(number))")
                }
            }
            let rows = Locked<[Int]>([])

            try await DatabaseMove(source.database, target.database).run { event in
                guard case .copied("event_segments", let count, _) = event else { return }
                rows.withLock { $0.append(count) }
            }

            let counts = rows.withLock { $0 }
            let largest = zip(counts, [0] + counts).map { $0 - $1 }.max() ?? 0
            #expect(counts.last == 60)
            #expect(counts.count >= 8 && largest < 30, "\(counts)")
            #expect(try await Self.bodies(in: target.database).map(\.count).max() == 8 << 20)
        }
    }

    @Test("tells what it would take, and changes nothing", arguments: MoveRoute.some)
    func surveys(route: MoveRoute) async throws {
        try await route.with { source, target in
            try await Samples.fill(source.database, count: 10)
            let before = try await Samples.content(of: source.database)

            let move = try DatabaseMove(source.database, target.database)
            let tables = try await move.survey()
            try await move.look(atTarget: true)

            #expect(tables.map(\.table) == Samples.tables.map(\.name))
            #expect(tables.allSatisfy { $0.sum.rows == 10 && $0.sum.largest > 0 && $0.sum.bytes >= $0.sum.largest })
            #expect(try await Samples.content(of: source.database) == before)
            #expect(try await MoveMark.read(source.database) == nil)
            #expect(try await MoveMark.read(target.database) == nil)
        }
    }

    // MARK: - What is refused

    @Test("refuses a target that has a row, before it touches either side", arguments: MoveRoute.some)
    func refusesFullTarget(route: MoveRoute) async throws {
        try await route.with { source, target in
            try await Samples.fill(source.database, count: 2)
            try await target.database.write { _ = try $0.execute(Samples.row(of: "users", 5, [:])) }
            let before = try await Samples.content(of: target.database)
            let move = try DatabaseMove(source.database, target.database)

            let error = await failure { try await move.run { _ in } }
            let seen = await failure { try await move.look(atTarget: true) }

            #expect(error?.message.contains("the target is not empty: users has rows") == true)
            #expect(seen?.message == error?.message)
            #expect(try await Samples.content(of: target.database) == before)
            #expect(try await MoveMark.read(source.database) == nil)
            try await MoveMark.admit(to: source.database, name: "the source")
        }
    }

    @Test("refuses to go on into another target than the one it began with", arguments: MoveRoute.some)
    func refusesOtherTarget(route: MoveRoute) async throws {
        try await route.with { source, target in
            try await Samples.fill(source.database, count: 2)
            try await begin(source.database, target.database)
            try await withTestDatabase(route.target) { other in
                let error = await failure { try await DatabaseMove(source.database, other).run { _ in } }

                let mark = try await MoveMark.read(other)
                #expect(error?.message.contains("is being moved to the target") == true)
                #expect(mark == nil)
            }
        }
    }

    @Test("refuses a target that another move fills", arguments: MoveRoute.some)
    func refusesOthersTarget(route: MoveRoute) async throws {
        try await route.with { source, target in
            try await Samples.fill(source.database, count: 2)
            try await begin(source.database, target.database)
            let content = try await Samples.content(of: target.database)
            try await withTestDatabase(route.source) { other in
                try await Samples.fill(other, count: 2)

                let error = await failure { try await DatabaseMove(other, target.database).run { _ in } }

                #expect(error?.message.contains("the target is not empty") == true)
                #expect(try await MoveMark.read(other) == nil)
                #expect(try await Samples.content(of: target.database) == content)
            }
        }
    }

    @Test(
        "says which row the target does not take, which keeps the source's rows where they are",
        arguments: MoveRoute.all.filter { $0.source == .sqlite },
        [
            ("users", "login", "same", "same ", "another row has the same users_login"),
            ("access_tokens", "kind", "plain", "nön-ascii", "\\xB6n-a|ascii_bin"),
        ]
    )
    func refusesRow(route: MoveRoute, trap: (String, String, String, String, String)) async throws {
        try await route.with { source, target in
            let (table, column, first, second, words) = trap
            try await source.database.write { tx in
                for (number, text) in [first, second].enumerated() {
                    if table != "users" { try tx.execute(Samples.row(of: "users", number, [:])) }
                    try tx.execute(Samples.row(of: table, number, [column: .text(text)]))
                }
            }

            let error = await failure { try await DatabaseMove(source.database, target.database).run { _ in } }

            #expect(error?.message.hasPrefix("the target does not take the row ('") == true, "\(error?.message ?? "")")
            #expect(error?.message.contains(") of \(table): ") == true)
            let hasWords = words.split(separator: "|").contains { error?.message.contains($0) == true }
            #expect(hasWords, "\(error?.message ?? "")")
            try await DatabaseMove.cancel(source.database, target.database)
            #expect(try await source.database.read { try $0.count("SELECT COUNT(*) FROM users") } == 2)
        }
    }

    @Test("says that a row is larger than a statement may be", arguments: MoveRoute.all.filter { $0.source == .sqlite })
    func refusesLargeRow(route: MoveRoute) async throws {
        try await route.with { source, target in
            try await Samples.fill(source.database, count: 2)
            let limit = try await target.database.read { try $0.count("SELECT @@max_allowed_packet") }
            try await source.database.write { tx in
                let body = [UInt8](repeating: 7, count: limit)
                try tx.execute("UPDATE event_segments SET body = \(body) WHERE update_id = \(Self.update(1))")
            }

            let error = await failure { try await DatabaseMove(source.database, target.database).run { _ in } }

            #expect(error?.code == .tooLarge)
            #expect(error?.message.contains("of event_segments: ") == true)
            #expect(error?.message.contains("Raise max_allowed_packet") == true)
        }
    }

    @Test(
        "finds a row that somebody changed at the target, and leaves the source the one that counts",
        arguments: MoveRoute.some
    )
    func findsDifference(route: MoveRoute) async throws {
        try await route.with { source, target in
            try await Samples.fill(source.database, count: 40)
            let before = try await Samples.content(of: source.database)
            try await begin(source.database, target.database)
            try await target.database.write { tx in
                try tx.execute("UPDATE stacks SET generation = 77 WHERE id = (SELECT stack_id FROM updates LIMIT 1)")
                try tx.execute(Samples.row(of: "users", 9_999, [:]))
            }

            let error = await failure { try await DatabaseMove(source.database, target.database).run { _ in } }

            #expect(error?.code == .damaged)
            #expect(error?.message.contains("the source: users, stacks.") == true, "\(error?.message ?? "")")
            #expect(try await MoveMark.read(source.database)?.state == .moving)
            let admitted = await failure { try await MoveMark.admit(to: target.database, name: "it") }
            #expect(admitted != nil)
            try await DatabaseMove.cancel(source.database, target.database)
            #expect(try await Samples.content(of: source.database) == before)
        }
    }

    // MARK: - Tools

    /// Runs a move to where everything is copied and compared, and the source is not yet closed.
    private func begin(_ source: Database, _ target: Database) async throws {
        let writes = Locked(0)
        let failing = FailingDatabase(base: source) {
            writes.withLock { count in
                count += 1
                return count == 2 ? .refused : nil
            }
        }
        let error = await failure { try await DatabaseMove(Database(driver: failing), target).run { _ in } }
        #expect(error?.code == .unavailable)
    }

    private static func update(_ number: Int) -> SQLValue {
        Samples.tables.first { $0.name == "updates" }.map { Samples.value($0.columns[0], of: $0, number) } ?? .null
    }

    private static func bodies(in database: Database) async throws -> Set<[UInt8]> {
        try await database.read { tx in
            Set(try tx.all("SELECT body FROM event_segments WHERE body IS NOT NULL") { try $0.bytes(0) })
        }
    }
}

/// The error of the service that something ends with.
func failure(_ body: () async throws -> Void) async -> ServiceError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? ServiceError ?? ServiceError(.internalError, "\(error)")
    }
}
