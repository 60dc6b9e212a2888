import Persistence
import Kernel
import Testing

/// What migrations must do on every engine, as one function per rule; each runs on a store without migrations.
package enum MigrationConformance {
    package static let rules = [
        DriverConformance.Rule("migrations run once, and the plan is empty then", once),
        DriverConformance.Rule("several programs that start at once apply each migration once", together),
        DriverConformance.Rule("every kind of step leads to the schema of the dump", everyStep),
        DriverConformance.Rule("a database that is ahead is refused and left alone", ahead),
        DriverConformance.Rule("a database whose migrations differ is refused and left alone", changed),
        DriverConformance.Rule("a migration that fails leaves what was before it, and can be run again", failing),
        DriverConformance.Rule("a step that an interrupted run did and did not record is not done twice", unrecorded),
        DriverConformance.Rule("a table of another program is not adopted", foreignTable),
        DriverConformance.Rule("a data step is applied as a whole or not at all", data),
    ]

    private static let animals = Table(
        "animals",
        columns: [Column("id", .integer), Column("name", .name(50)), Column("old", .text, nullable: true)],
        primaryKey: ["id"],
        indexes: [["name"]]
    )

    private static let first = Migration(1, "animals", [.createTable(animals)])
    private static let second = Migration(
        2,
        "kinds",
        [
            .addColumn(Column("kind", .ascii(20), default: .text("cat")), to: "animals"),
            .createUniqueKey(["kind", "id"], on: "animals"),
            .data(["INSERT INTO animals (id, name) VALUES (\(1), \("Ada"))"]),
            .dropIndex(["name"], on: "animals"),
            .createIndex([.descending("name"), "id"], on: "animals"),
            .dropColumn("old", from: "animals"),
            .createTable(Table("gone", columns: [Column("id", .id)], primaryKey: ["id"])),
            .dropTable("gone"),
        ]
    )

    private static func once(_ store: TestStore) async throws {
        let runner = MigrationRunner(migrations: [first, second])
        let before = try await runner.plan(store.database)
        await #expect(throws: MigrationError.behind(database: 0, program: 2)) {
            try await runner.check(store.database)
        }

        let progress = Locked<[MigrationProgress]>([])
        let applied = try await runner.up(store.database) { event in progress.withLock { $0.append(event) } }
        let again = try await runner.up(store.database)
        let after = try await runner.plan(store.database)
        try await runner.check(store.database)

        #expect(before.current == 0 && before.pending.map(\.number) == [1, 2] && before.stepsDone == 0)
        #expect(applied == [1, 2])
        #expect(again == [])
        #expect(after.current == 2 && after.isEmpty)
        let events = progress.withLock { $0 }
        #expect(events.first == .began(number: 1, name: "animals"))
        #expect(events.last == .finished(number: 2, name: "kinds"))
        #expect(events.count == 4 + 1 + 8)
    }

    private static func together(_ store: TestStore) async throws {
        let runner = MigrationRunner(migrations: [first, second])
        let other = store.engine == .sqlite ? store.driver : try await store.open()
        let databases = [store.database, Database(driver: other), store.database]

        let applied = try await withThrowingTaskGroup { group in
            for database in databases {
                group.addTask { try await runner.up(database) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        if store.engine != .sqlite { await other.close() }
        let count = try await store.database.read { try $0.count("SELECT COUNT(*) FROM animals") }

        #expect(applied == [1, 2])
        #expect(count == 1)
    }

    private static func everyStep(_ store: TestStore) async throws {
        try await MigrationRunner(migrations: [first, second]).up(store.database)

        let row = try await store.database.read { tx in
            try tx.first("SELECT id, name, kind FROM animals") {
                "\(try $0.int(0)) \(try $0.text(1)) \(try $0.text(2))"
            }
        }
        let duplicate = await DriverConformance.databaseError {
            try await store.driver.write { tx in
                try tx.insert(into: "animals", ["id": 1, "name": "Bob", "kind": "dog"])
            }
        }
        let old = await DriverConformance.databaseError {
            try await store.driver.read { tx in _ = try tx.count("SELECT old FROM animals") }
        }
        let gone = await DriverConformance.databaseError {
            try await store.driver.read { tx in _ = try tx.count("SELECT id FROM gone") }
        }

        #expect(row == "1 Ada cat")
        #expect("\(String(describing: duplicate))".contains("PRIMARY"))
        #expect(old != nil && gone != nil)
    }

    private static func ahead(_ store: TestStore) async throws {
        try await MigrationRunner(migrations: [first, second]).up(store.database)
        let older = MigrationRunner(migrations: [first])
        let error = MigrationError.ahead(database: 2, program: 1)

        await #expect(throws: error) { try await older.up(store.database) }
        await #expect(throws: error) { _ = try await older.plan(store.database) }
        await #expect(throws: error) { try await older.check(store.database) }
        let count = try await store.database.read { try $0.count("SELECT COUNT(*) FROM animals") }

        #expect(count == 1)
    }

    private static func changed(_ store: TestStore) async throws {
        try await MigrationRunner(migrations: [first]).up(store.database)
        var other = animals
        other.columns.append(Column("more", .integer))
        let third = Migration(
            2,
            "third",
            [.createTable(Table("third", columns: [Column("id", .id)], primaryKey: ["id"]))]
        )
        let programs = [
            [Migration(1, "animals", [.createTable(other)]), third], [Migration(1, "renamed", first.steps), third],
            [Migration(1, "animals", []), third],
        ]

        for migrations in programs {
            await #expect(throws: MigrationError.changed(number: 1, name: "animals")) {
                try await MigrationRunner(migrations: migrations).up(store.database)
            }
        }
        let plan = try await MigrationRunner(migrations: [first, third]).plan(store.database)

        #expect(plan.pending.map(\.number) == [2])
    }

    /// The broken program is replaced by one whose later steps work; what was done stays done.
    private static func failing(_ store: TestStore) async throws {
        let steps = Array(second.steps.prefix(2))
        let broken = Migration(2, "kinds", steps + [.data(["INSERT INTO nowhere (id) VALUES (1)"])])
        let rest = Migration(3, "rest", [])

        await #expect(throws: (any Error).self) {
            try await MigrationRunner(migrations: [first, broken, rest]).up(store.database)
        }
        let plan = try await MigrationRunner(migrations: [first, second, rest]).plan(store.database)
        let applied = try await MigrationRunner(migrations: [first, second, rest]).up(store.database)
        let names = try await store.database.read { tx in
            try tx.all("SELECT name FROM animals WHERE kind = \("cat")") { try $0.text(0) }
        }

        #expect(plan.current == 1)
        #expect(plan.stepsDone == (store.engine == .sqlite ? 0 : 2))
        #expect(applied == [2, 3])
        #expect(names == ["Ada"])
    }

    private static func data(_ store: TestStore) async throws {
        let statements: [SQL] = [
            "INSERT INTO animals (id, name) VALUES (1, \("one"))",
            "INSERT INTO animals (id, name) VALUES (2, \("two"))",
        ]
        let broken = Migration(2, "rows", [.data(statements + ["INSERT INTO animals (id, name) VALUES (1, \("x"))"])])
        let correct = Migration(2, "rows", [.data(statements)])

        await #expect(throws: (any Error).self) {
            try await MigrationRunner(migrations: [first, broken]).up(store.database)
        }
        let before = try await store.database.read { try $0.count("SELECT COUNT(*) FROM animals") }
        try await MigrationRunner(migrations: [first, correct]).up(store.database)
        let after = try await store.database.read { try $0.count("SELECT COUNT(*) FROM animals") }

        #expect(before == 0)
        #expect(after == 2)
    }

    /// MySQL commits each change of the schema by itself, so that a run can end between the change and its record;
    /// SQLite cannot get there, and refuses what it does not know.
    private static func unrecorded(_ store: TestStore) async throws {
        try await MigrationRunner(migrations: [first]).up(store.database)
        try await store.database.migrate { session in
            let type: SQL = session.dialect == .sqlite ? "TEXT" : "VARCHAR(20)"
            try session.execute("ALTER TABLE animals ADD COLUMN kind \(type) NOT NULL DEFAULT 'cat'")
        }
        let progress = Locked<[MigrationProgress]>([])
        let runner = MigrationRunner(migrations: [first, second])

        guard store.engine != .sqlite else {
            await #expect(throws: (any Error).self) { try await runner.up(store.database) }
            #expect(try await runner.plan(store.database).current == 1)
            return
        }
        let applied = try await runner.up(store.database) { event in progress.withLock { $0.append(event) } }

        #expect(applied == [2])
        let steps = progress.withLock { $0 }.compactMap { event -> Bool? in
            if case .step(_, _, _, let wasDone) = event { wasDone } else { nil }
        }
        #expect(steps == [true] + Array(repeating: false, count: 7))
    }

    private static func foreignTable(_ store: TestStore) async throws {
        try await store.database.migrate { session in
            try session.execute("CREATE TABLE animals (id INTEGER NOT NULL PRIMARY KEY)")
            try session.execute("INSERT INTO animals (id) VALUES (7)")
        }
        let runner = MigrationRunner(migrations: [first])

        for _ in 0..<2 {
            await #expect(throws: (any Error).self) { try await runner.up(store.database) }
        }
        let ids = try await store.database.read { tx in try tx.all("SELECT * FROM animals") { try $0.int(0) } }

        #expect(ids == [7])
        #expect(try await runner.plan(store.database).current == 0)
    }
}
