package import Kernel
package import Persistence

/// Copies all rows of a database into an empty one on another engine, and compares them.
///
/// What makes it safe is the order of durable steps, each of which an interrupted run finds and goes on from:
/// the target is marked as not to be served; the source likewise, and its tables taken away (`MoveFence`), so that what
/// is copied cannot change; rows are copied in batches, each in one transaction with how far it came; both sides are read
/// whole and compared; the source is marked as moved for good; the target may be served. Until the last step nothing but
/// the source can be used, after giving the move up (`cancel`); from then on the target alone.
///
/// Most of that can be done ahead, while the source is served (`copyOnline`): then triggers trace what changes
/// (`ChangeTrace`), the changes are taken over after the rows, and the run at rest takes what is left of them.
package struct DatabaseMove: Sendable {
    package struct Place: Sendable {
        package let database: Database
        /// What messages and marks call it.
        package let name: String

        package init(_ database: Database, name: String) {
            self.database = database
            self.name = name
        }
    }

    /// What both sides hold of a table.
    package struct Comparison: Sendable {
        package let table: String
        package let source: TableSum
        package let target: TableSum

        package var isSame: Bool { source == target }
    }

    package enum Progress: Sendable {
        case copied(table: String, rows: Int, bytes: Int)
        /// How many changes were just taken over.
        case followed(changes: Int)
        case read(table: String, rows: Int)
        case compared(Comparison)
        /// All rows were compared while the source was served, and each change after that; here are how many both have.
        case counted(table: String, source: Int, target: Int)
    }

    let source: Place
    let target: Place
    let migrations: [Migration]
    let tables: [MovedTable]
    let effects: Effects

    /// - Throws: where the migrations do not fit each other.
    package init(from source: Place, to target: Place, migrations: [Migration], effects: Effects) throws {
        self.source = source
        self.target = target
        self.migrations = migrations
        self.effects = effects
        tables = try Migration.tables(after: migrations).map { MovedTable($0) }
    }

    /// Does what is left to do, while no server runs.
    ///
    /// - Parameter report: told often.
    /// - Throws: why nothing was done, or what is missing, with what was done kept for the next run.
    package func run(report: @escaping @Sendable (Progress) -> Void) async throws {
        let runner = MigrationRunner(migrations: migrations)
        try await runner.check(source.database)
        let id: String
        switch try await join() {
        case nil: id = try await begin(runner)
        case .unfinished(let known, _): id = known
        case .compared(let known): return try await finish(known)
        }
        try await runner.check(target.database)
        try await markSource(.moving, id)
        try await MoveFence.raise(around: tables.map(\.table), in: source.database)
        let traced = try await traced(id)
        let turns = try await MoveTurns(of: id, in: target)
        try await withoutForeignKeys {
            for table in tables {
                let isTraced = traced.laid.contains(table.table.name)
                try await copy(table, from: .fenced, isTraced: isTraced, turns, report)
            }
            try await followToTheEnd(traced, turns, report)
        }
        try await compare(traced, report)
        try Failpoint.reach(.moveCompared)
        try await closeSource(id)
        try Failpoint.reach(.moveSourceClosed)
        try await finish(id)
    }

    /// Does all that can be done while the source is served; what changes later is left for `run`.
    ///
    /// - Parameter report: told often.
    /// - Returns: how many changes are traced and not yet taken over.
    /// - Throws: what `run` throws.
    package func copyOnline(report: @escaping @Sendable (Progress) -> Void) async throws -> Int {
        let runner = MigrationRunner(migrations: migrations)
        try await runner.check(source.database)
        let id: String
        switch try await join() {
        case nil: id = try await begin(runner)
        case .unfinished(let known, .copying): id = known
        case .unfinished, .compared:
            let text = "\(source.name) is being moved at rest: repeat 'cairn move database' without --online"
            throw ServiceError(.failedPrecondition, text)
        }
        try await runner.check(target.database)
        try await markSource(.copying, id)
        let turns = try await MoveTurns(of: id, in: target)
        try await trace(turns)
        return try await withoutForeignKeys {
            for table in tables { try await copy(table, from: .served, isTraced: true, turns, report) }
            try await followOnline(turns, report)
            let checked = try await traced(id).checked
            for table in tables where !checked.contains(table.table.name) {
                try await check(table, of: id, turns, report)
            }
            try await followOnline(turns, report)
            return try await pending()
        }
    }
}

// MARK: - The beginning

extension DatabaseMove {
    /// A move that was begun, by its id.
    enum Known {
        /// With the state of the source's mark.
        case unfinished(String, MoveMark.State)
        case compared(String)
    }

    /// This very move, where it was begun.
    ///
    /// - Throws: where either side belongs to another one.
    func join() async throws -> Known? {
        let here = try await MoveMark.read(source.database)
        let there = try await MoveMark.read(target.database)
        guard let here else {
            // Before the source is marked no row is copied: such a target is as good as new, if it is empty.
            guard let there, there.state != .filling else { return nil }
            throw there.refusal(of: target.name)
        }
        guard let there, there.id == here.id else { throw here.refusal(of: source.name) }
        switch (here.state, there.state) {
        case (.moving, .filling), (.copying, .filling): return .unfinished(here.id, here.state)
        case (.moved, .filling), (.moved, .ready): return .compared(here.id)
        case (_, .cancelled): throw there.refusal(of: target.name)
        default: throw here.refusal(of: source.name)
        }
    }

    func begin(_ runner: MigrationRunner) async throws -> String {
        // Before its schema is touched.
        try await target.database.read { tx in try requireEmpty(tx) }
        try await runner.up(target.database)
        let id = effects.id(DatabaseMove.self).description
        let now = effects.now()
        try await target.database.write { tx in
            try requireEmpty(tx)
            try MoveMark(.filling, id: id, place: source.name).write(at: now, in: tx)
            var rows = tables.map { (MoveMark.copiedRow(of: $0.table.name), MoveProgress(of: id).text) }
            rows.append((MoveMark.turnRow, MoveTurns.text(0, of: id)))
            for (name, value) in rows {
                try tx.upsert(into: MoveMark.table, key: ["name": name], set: ["value": value, "updated_at": now])
            }
        }
        try Failpoint.reach(.moveTargetClaimed)
        return id
    }

    /// Refuses a database that holds anything of Cairn, in either name, whatever its schema.
    func requireEmpty(_ tx: Transaction) throws {
        for table in tables {
            for name in Set([table.table.name, MoveFence.name(of: table.table)]) where try tx.hasTable(name) {
                guard try !hasRows(name, tx) else {
                    let text = "\(target.name) is not empty: \(name) has rows; give the move an empty database"
                    throw ServiceError(.failedPrecondition, text)
                }
            }
        }
    }

    /// Whether a table has rows that are not the move's own.
    private func hasRows(_ table: String, _ tx: Transaction) throws -> Bool {
        guard table == MoveMark.table else {
            return try tx.first("SELECT 1 FROM \(SQL(identifier: table)) LIMIT 1") { try $0.int(0) } != nil
        }
        return try tx.all("SELECT name FROM server_values") { try $0.text(0) }
            .contains { !$0.hasPrefix(MoveMark.prefix) }
    }

    /// Says what is going on: from `.moving` on no server starts on the source.
    func markSource(_ state: MoveMark.State, _ id: String) async throws {
        let now = effects.now()
        try await source.database.write { tx in
            if let mark = try MoveMark.readLocked(in: tx) {
                guard mark.id == id, [.copying, .moving].contains(mark.state) else {
                    throw mark.refusal(of: source.name)
                }
                guard mark.state == .copying, state == .moving else { return }
            }
            try MoveMark(state, id: id, place: target.name).write(at: now, in: tx)
        }
        try Failpoint.reach(.moveSourceMarked)
    }
}
