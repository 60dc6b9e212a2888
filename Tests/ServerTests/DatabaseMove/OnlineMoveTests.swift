import Kernel
import Persistence
import Schema
import Server
import TestKit
import Testing

@Suite("A move while the source is served")
struct OnlineMoveTests {
    @Test("takes over what changes at any moment, and the end takes only that", arguments: MoveRoute.all)
    func follows(route: MoveRoute) async throws {
        try await route.with { source, target in
            try await Samples.fill(source.database)
            let changes = Changes(of: source.database)
            let served = Database(
                driver: ServedDatabase(base: source.database, between: { try await changes.seldom() })
            )

            let left = try await DatabaseMove(served, target.database).copyOnline { _ in }
            try await changes.next(60)

            let before = try await Samples.content(of: source.database)
            let events = Locked<[DatabaseMove.Progress]>([])
            try await DatabaseMove(source.database, target.database).run { event in
                events.withLock { $0.append(event) }
            }
            #expect(try await Samples.content(of: target.database) == before)
            let made = await changes.count
            #expect(made > 100 && left < 1000, "\(left) changes were left, after \(made) steps")
            var (counted, followed) = (0, 0)
            for event in events.withLock({ $0 }) {
                switch event {
                case .counted(_, let source, let target):
                    #expect(source == target)
                    counted += 1
                case .followed(let changes):
                    followed += changes
                case .copied, .read, .compared:
                    Issue.record("the end did it all again: \(event)")
                }
            }
            #expect(counted == Samples.tables.count && followed >= 60)
            try await MoveMark.admit(to: target.database, name: "the target")
            #expect(try await traces(of: source.database) == 0)
        }
    }

    @Test(
        "goes on wherever it was interrupted",
        arguments: MoveRoute.some,
        FailingDatabase.Failure.allCases
    )
    func resumes(route: MoveRoute, kind: FailingDatabase.Failure) async throws {
        try await route.with { source, target in
            try await Samples.fill(source.database, count: 60)
            let changes = Changes(of: source.database, firstNew: 60)
            let served = Database(
                driver: ServedDatabase(base: source.database, between: { try await changes.seldom() })
            )
            let (online, failing) = (
                FailingMove(served, target.database, kind), FailingMove(source.database, target.database, kind)
            )
            var interrupted = 0

            for write in [1, 2, 3, 4, 5, 7, 10, 15, 25, 40, 60, 100, 150] {
                if await failure({ try await online.copyOnline(failingAt: write) }) != nil { interrupted += 1 }
                let state = try await MoveMark.read(target.database)?.state
                #expect(state == nil || state == .filling)
                try await MoveMark.admit(to: source.database, name: "the source")
            }
            try await online.copyOnline(failingAt: .max)
            try await changes.next(30)
            let before = try await Samples.content(of: source.database)
            for write in 1...12 {
                if await failure({ try await failing.run(failingAt: write) }) != nil { interrupted += 1 }
            }
            try await failing.run(failingAt: .max)

            #expect(interrupted > 15, "it was interrupted \(interrupted) times")
            #expect(try await failing.states() == "moved ready")
            #expect(try await Samples.content(of: target.database) == before)
        }
    }

    @Test(
        "leaves the source to servers, without migrations, until the end of it or until it is given up",
        arguments: MoveRoute.all
    )
    func serves(route: MoveRoute) async throws {
        try await route.with { source, target in
            try await Samples.fill(source.database, count: 20)
            _ = try await DatabaseMove(source.database, target.database).copyOnline { _ in }

            let mayMigrate = try await MoveMark.admit(to: source.database, name: "the source")
            try await MoveMark.refuse(source.database, name: "the source")
            let migration = await failure {
                try await MoveMark.refuse(source.database, name: "the source", except: .ready)
            }
            let admitted = await failure { try await MoveMark.admit(to: target.database, name: "the target") }
            let before = try await Samples.content(of: source.database)
            try await DatabaseMove.cancel(source.database, target.database)

            #expect(!mayMigrate)
            #expect(migration?.message.contains("is being copied to the target") == true)
            #expect(admitted?.message.contains("holds a part of what is being moved") == true)
            #expect(try await traces(of: source.database) == 0)
            #expect(try await MoveMark.read(source.database) == nil)
            #expect(try await Samples.content(of: source.database) == before)
            let again = await failure {
                _ = try await DatabaseMove(source.database, target.database).copyOnline { _ in }
            }
            #expect(again?.message.contains("is not empty") == true)
        }
    }

    @Test("refuses a source that is being moved at rest", arguments: MoveRoute.some)
    func refusesMoving(route: MoveRoute) async throws {
        try await route.with { source, target in
            try await Samples.fill(source.database, count: 2)
            _ = await failure { try await FailingMove(source.database, target.database, .answerLost).run(failingAt: 6) }

            let error = await failure {
                _ = try await DatabaseMove(source.database, target.database).copyOnline { _ in }
            }

            #expect(error?.message.contains("is being moved at rest") == true, "\(error?.message ?? "")")
        }
    }

    // MARK: - What goes wrong

    @Test("ends for whoever was overtaken by another program that does the same", arguments: MoveRoute.some)
    func overtaken(route: MoveRoute) async throws {
        try await route.with { source, target in
            try await Samples.fill(source.database)
            let changes = Changes(of: source.database)
            let isOver = Locked(false)
            let other = try DatabaseMove(source.database, target.database)
            let served = Database(
                driver: ServedDatabase(base: source.database) {
                    try await changes.seldom()
                    guard await changes.count == 30 else { return }
                    _ = try await other.copyOnline { _ in }
                    isOver.withLock { $0 = true }
                    try await changes.next()
                }
            )

            let error = await failure { _ = try await DatabaseMove(served, target.database).copyOnline { _ in } }

            #expect(isOver.withLock { $0 })
            #expect(error?.message == "Somebody else copies into the target.")
            let before = try await Samples.content(of: source.database)
            try await other.run { _ in }
            #expect(try await Samples.content(of: target.database) == before)
        }
    }

    @Test(
        "compares everything at the end where changes were not traced, and finds what was missed",
        arguments: MoveRoute.some
    )
    func untraced(route: MoveRoute) async throws {
        try await route.with { source, target in
            try await Samples.fill(source.database, count: 30)
            let move = try DatabaseMove(source.database, target.database)
            _ = try await move.copyOnline { _ in }
            try await source.database.migrate { try $0.execute("DROP TRIGGER changed_users_by_update") }
            try await source.database.write { _ = try $0.execute("UPDATE users SET name = 'missed'") }

            let again = await failure { _ = try await move.copyOnline { _ in } }
            let end = await failure { try await move.run { _ in } }

            #expect(again?.message.contains("changes of users were not traced") == true, "\(again?.message ?? "")")
            #expect(end?.code == .damaged)
            #expect(end?.message.contains("the source: users.") == true, "\(end?.message ?? "")")
            try await DatabaseMove.cancel(source.database, target.database)
            try await MoveMark.admit(to: source.database, name: "the source")
        }
    }

    @Test("finds a row that is another one at the target, or too many, before the end", arguments: MoveRoute.some)
    func findsDifference(route: MoveRoute) async throws {
        for statement in ["UPDATE users SET name = 'other'", "DELETE FROM stack_tags"] as [SQL] {
            try await route.with { source, target in
                try await Samples.fill(source.database, count: 30)
                let served = Database(
                    driver: ServedDatabase(base: source.database) {
                        guard try await isCopied("users", in: target.database),
                            try await isCopied("stack_tags", in: target.database)
                        else { return }
                        try await target.database.write { _ = try $0.execute(statement) }
                    }
                )

                let error = await failure { _ = try await DatabaseMove(served, target.database).copyOnline { _ in } }

                #expect(error?.code == .damaged)
                #expect(error?.message.contains("is another one in the target, or is not there") == true)
            }
        }
        try await route.with { source, target in
            try await Samples.fill(source.database, count: 30)
            let move = try DatabaseMove(source.database, target.database)
            _ = try await move.copyOnline { _ in }
            try await target.database.write { _ = try $0.execute(Samples.row(of: "users", 9_999, [:])) }

            let end = await failure { try await move.run { _ in } }

            #expect(end?.message.contains("the source: users.") == true, "\(end?.message ?? "")")
        }
    }

    @Test(
        "names a row that the target takes for the same as another one",
        arguments: MoveRoute.all.filter { $0.source == .sqlite }
    )
    func namesTwins(route: MoveRoute) async throws {
        try await route.with { source, target in
            try await source.database.write { tx in
                for (number, login) in ["same", "same "].enumerated() {
                    try tx.execute(Samples.row(of: "users", number, ["login": .text(login)]))
                }
            }

            let error = await failure {
                _ = try await DatabaseMove(source.database, target.database).copyOnline { _ in }
            }

            #expect(error?.message.contains(") of users is another one") == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("takes it for the same as another row") == true)
        }
    }

    private func isCopied(_ table: String, in target: Database) async throws -> Bool {
        try await target.read { tx in
            guard try tx.hasTable("server_values") else { return false }
            let sql: SQL = "SELECT value FROM server_values WHERE name = \("move.copied.\(table)")"
            return try tx.first(sql) { try $0.text(0).contains(" end") } == true
        }
    }

    /// How many tables and triggers of traces there are.
    private func traces(of database: Database) async throws -> Int {
        try await database.read { tx in
            switch tx.dialect {
            case .sqlite: try tx.count("SELECT COUNT(*) FROM sqlite_schema WHERE name LIKE 'changed\\_%' ESCAPE '\\'")
            case .mysql:
                try tx.count(
                    """
                    SELECT (SELECT COUNT(*) FROM information_schema.tables
                        WHERE table_schema = DATABASE() AND table_name LIKE 'changed\\_%')
                    + (SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE())
                    """
                )
            }
        }
    }
}

/// A database that somebody else changes before each access of the move.
private struct ServedDatabase: DatabaseDriver {
    let base: Database
    /// The number of the error with which MySQL refuses changes of the schema.
    var refusal: Int?
    let between: @Sendable () async throws -> Void

    var dialect: Dialect { base.dialect }

    func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try await between()
        return try await base.read(body)
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try await between()
        return try await base.write(body)
    }

    func migrate<T: Sendable>(_ body: @escaping @Sendable (any MigrationSession) throws -> T) async throws -> T {
        try await between()
        if let refusal { throw DatabaseError.statement(code: refusal, message: "denied", sql: "CREATE TRIGGER") }
        return try await base.migrate(body)
    }

    func close() async {}
}

/// What servers may do to any table: the same sequence each time.
private actor Changes {
    private let database: Database
    private let firstNew: Int
    private var accesses = 0
    private(set) var count = 0

    init(of database: Database, firstNew: Int = Samples.count) {
        self.database = database
        self.firstNew = firstNew
    }

    /// Every few accesses of the move, so that it gets further than the changes do.
    func seldom() async throws {
        accesses += 1
        if accesses % 5 == 0 { try await next() }
    }

    func next(_ times: Int) async throws {
        for _ in 0..<times { try await next() }
    }

    func next() async throws {
        let (number, new) = (count, firstNew + count)
        count += 1
        try await database.write { [firstNew] tx in
            switch number % 6 {
            case 0:
                for table in Samples.tables {
                    try tx.execute(Samples.insert(table.columns.map { Samples.value($0, of: table, new) }, into: table))
                }
            case 1:
                // What was inserted one step or some steps before, or was there from the beginning.
                for table in Samples.tables.reversed() {
                    let number = number % 12 == 1 ? new - 1 : number / 6 % firstNew
                    try tx.execute("DELETE FROM \(SQL(identifier: table.name)) WHERE \(Self.key(number, of: table))")
                }
            case 2, 3:
                for table in Samples.tables {
                    guard let column = Self.free(in: table) else { continue }
                    let value = Samples.value(column, of: table, number + 1)
                    let key = Self.key(number * 7 % firstNew, of: table)
                    try tx.execute(
                        "UPDATE \(SQL(identifier: table.name)) SET \(SQL(identifier: column.name)) = \(value) WHERE \(key)"
                    )
                }
            case 4:
                try Self.swapLogins(number * 5 % firstNew, number * 11 % firstNew, in: tx)
            default:
                try Self.renameKey(number % firstNew, in: tx)
            }
        }
    }

    private static func key(_ number: Int, of table: Table) -> SQL {
        .joined(
            table.primaryKey.compactMap { name in table.column(name) }.map { column in
                "\(SQL(identifier: column.name)) = \(Samples.value(column, of: table, number))"
            },
            by: " AND "
        )
    }

    /// A column that is part of no key.
    private static func free(in table: Table) -> Column? {
        let keys = Set(table.primaryKey + table.uniqueKeys.flatMap { $0.columns.map(\.name) })
        let references = Set(table.foreignKeys.flatMap(\.columns))
        let referenced = Set(
            Samples.tables.flatMap(\.foreignKeys).filter { $0.table == table.name }.flatMap(\.referencedColumns)
        )
        return table.columns.first {
            !keys.contains($0.name) && !references.contains($0.name) && !referenced.contains($0.name)
        }
    }

    /// Neither row can be brought to the target before the other.
    private static func swapLogins(_ one: Int, _ other: Int, in tx: Transaction) throws {
        let rows = try [one, other].map { number in
            try tx.first("SELECT id, login FROM users WHERE \(key(number, of: users))") {
                (id: try $0.text(0), login: try $0.text(1))
            }
        }
        guard one != other, let first = rows[0], let second = rows[1] else { return }
        try tx.execute("UPDATE users SET login = 'between' WHERE id = \(first.id)")
        try tx.execute("UPDATE users SET login = \(first.login) WHERE id = \(second.id)")
        try tx.execute("UPDATE users SET login = \(second.login) WHERE id = \(first.id)")
    }

    /// A row gets another key: for one that differs in spaces only, which is the same one to MySQL, and back.
    private static func renameKey(_ number: Int, in tx: Transaction) throws {
        let column = values.columns[0]
        guard case .text(let name) = Samples.value(column, of: values, number) else { return }
        let names = try tx.all("SELECT name FROM server_values") { try $0.text(0) }
        let (old, new) = names.contains("\(name)z ") ? ("\(name)z ", "\(name)z") : (name, "\(name)z ")
        guard names.contains(old) else { return }
        try tx.execute("UPDATE server_values SET name = \(new) WHERE name = \(old)")
    }

    private static let users = Samples.tables.first { $0.name == "users" } ?? Samples.tables[0]
    private static let values = Samples.tables.first { $0.name == "server_values" } ?? Samples.tables[0]
}
