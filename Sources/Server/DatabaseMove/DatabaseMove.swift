package import Kernel
package import Persistence

/// Copies all rows of a database into an empty one on another engine, while no server runs, and compares them.
///
/// What makes it safe is the order of durable steps, each of which an interrupted run finds and goes on from:
/// the target is marked as not to be served; the source likewise, and its tables taken away (`MoveFence`), so that what
/// is copied cannot change; rows are copied in batches, each in one transaction with how far it came; both sides are read
/// whole and compared; the source is marked as moved for good; the target may be served. Until the last step nothing but
/// the source can be used, after giving the move up (`cancel`); from then on the target alone.
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
        case read(table: String, rows: Int)
        case compared(Comparison)
    }

    private let source: Place
    private let target: Place
    private let migrations: [Migration]
    private let tables: [MovedTable]
    private let effects: Effects

    /// - Throws: where the migrations do not fit each other.
    package init(from source: Place, to target: Place, migrations: [Migration], effects: Effects) throws {
        self.source = source
        self.target = target
        self.migrations = migrations
        self.effects = effects
        tables = try Migration.tables(after: migrations).map { MovedTable($0) }
    }

    /// Does what is left to do.
    ///
    /// - Parameter report: told often.
    /// - Throws: why nothing was done, or what is missing, with what was done kept for the next run.
    package func run(report: @escaping @Sendable (Progress) -> Void) async throws {
        let runner = MigrationRunner(migrations: migrations)
        try await runner.check(source.database)
        let id: String
        switch try await join() {
        case nil: id = try await begin(runner)
        case .unfinished(let known): id = known
        case .compared(let known): return try await finish(known)
        }
        try await markSource(id)
        try await MoveFence.raise(around: tables.map(\.table), in: source.database)
        for table in tables { try await copy(table, of: id, report) }
        try await compare(report)
        try Failpoint.reach(.moveCompared)
        try await closeSource(id)
        try Failpoint.reach(.moveSourceClosed)
        try await finish(id)
    }
}

// MARK: - The beginning

extension DatabaseMove {
    /// A move that was begun, by its id.
    private enum Known {
        case unfinished(String)
        case compared(String)
    }

    /// This very move, where it was begun.
    ///
    /// - Throws: where either side belongs to another one.
    private func join() async throws -> Known? {
        let here = try await MoveMark.read(source.database)
        let there = try await MoveMark.read(target.database)
        guard let here else {
            // Before the source is marked no row is copied: such a target is as good as new, if it is empty.
            guard let there, there.state != .filling else { return nil }
            throw there.refusal(of: target.name)
        }
        guard let there, there.id == here.id else { throw here.refusal(of: source.name) }
        switch (here.state, there.state) {
        case (.moving, .filling): return .unfinished(here.id)
        case (.moved, .filling), (.moved, .ready): return .compared(here.id)
        case (_, .cancelled): throw there.refusal(of: target.name)
        default: throw here.refusal(of: source.name)
        }
    }

    private func begin(_ runner: MigrationRunner) async throws -> String {
        // Before its schema is touched.
        try await target.database.read { tx in try requireEmpty(tx) }
        try await runner.up(target.database)
        let id = effects.id(DatabaseMove.self).description
        let now = effects.now()
        try await target.database.write { tx in
            try requireEmpty(tx)
            try MoveMark(.filling, id: id, place: source.name).write(at: now, in: tx)
            for table in tables {
                try tx.upsert(
                    into: MoveMark.table,
                    key: ["name": MoveMark.copiedRow(of: table.table.name)],
                    set: ["value": MoveProgress(of: id).text, "updated_at": now]
                )
            }
        }
        try Failpoint.reach(.moveTargetClaimed)
        return id
    }

    /// Refuses a database that holds anything of Cairn, in either name, whatever its schema.
    private func requireEmpty(_ tx: Transaction) throws {
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

    /// From here on no server starts on the source.
    private func markSource(_ id: String) async throws {
        let now = effects.now()
        try await source.database.write { tx in
            if let mark = try MoveMark.readLocked(in: tx) {
                guard mark.id == id else { throw mark.refusal(of: source.name) }
                return
            }
            try MoveMark(.moving, id: id, place: target.name).write(at: now, in: tx)
        }
        try Failpoint.reach(.moveSourceMarked)
    }
}

// MARK: - Rows

extension DatabaseMove {
    private struct Batch: Sendable {
        var page: MovedTable.Page
        var rows: [[SQLValue]]
    }

    /// Copies a table from where an earlier run stopped; the next rows are read while some are written.
    private func copy(_ table: MovedTable, of id: String, _ report: (Progress) -> Void) async throws {
        var progress = try await progress(of: table, in: id)
        guard !progress.isEnd else { return }
        var batch = try await read(table, after: progress.last, limit: MovedTable.firstLimit)
        while true {
            let page = batch.page
            async let following: Batch? =
                page.isEnd ? nil : read(table, after: page.last, limit: page.nextLimit)
            progress = try await write(batch, of: table, after: progress)
            try Failpoint.reach(.moveRowsCopied)
            report(.copied(table: table.table.name, rows: progress.rows, bytes: progress.bytes))
            guard let next = try await following else { return }
            batch = next
        }
    }

    private func progress(of table: MovedTable, in id: String) async throws -> MoveProgress {
        let row = MoveMark.copiedRow(of: table.table.name)
        let text = try await target.database.read { tx in
            try tx.first("SELECT value FROM server_values WHERE name = \(row)") { try $0.text(0) }
        }
        guard let text, let progress = MoveProgress(text), progress.move == id else {
            throw ServiceError(.damaged, "\(target.name) does not tell how much of \(table.table.name) was copied.")
        }
        return progress
    }

    private func read(_ table: MovedTable, after last: [SQLValue]?, limit: Int) async throws -> Batch {
        let name = MoveFence.name(of: table.table)
        return try await source.database.read { tx in
            var rows: [[SQLValue]] = []
            let page = try table.read(from: name, after: last, limit: limit, in: tx) { values, _ in
                rows.append(values)
            }
            return Batch(page: page, rows: rows)
        }
    }

    /// The rows and how far they reach, both or neither.
    private func write(_ batch: Batch, of table: MovedTable, after old: MoveProgress) async throws -> MoveProgress {
        var progress = old
        progress.take(batch.page)
        let new = progress
        let now = effects.now()
        let name = MoveMark.copiedRow(of: table.table.name)
        try await target.database.write { tx in
            let count = try tx.execute(
                """
                UPDATE server_values SET value = \(new.text), updated_at = \(now)
                WHERE name = \(name) AND value = \(old.text)
                """
            )
            guard count == 1 else {
                throw ServiceError(.conflict, "Somebody else copies \(table.table.name) into \(target.name).")
            }
            try table.insert(batch.rows, in: tx)
            try Failpoint.reach(.moveRowsInserted)
        }
        return new
    }
}

// MARK: - Comparing

extension DatabaseMove {
    /// What the source holds, without changing anything; it may be served meanwhile.
    package func survey(_ report: (Progress) -> Void = { _ in }) async throws -> [(table: String, sum: TableSum)] {
        try await MigrationRunner(migrations: migrations).check(source.database)
        var result: [(table: String, sum: TableSum)] = []
        for table in tables {
            let (plain, fenced) = (table.table.name, MoveFence.name(of: table.table))
            let isFenced = try await source.database.read { tx in try tx.hasTable(fenced) }
            result.append((plain, try await sum(table, in: source, named: isFenced ? fenced : plain, report)))
        }
        return result
    }

    /// Why a run would be refused, without beginning one; the target may be a database that is still to be made.
    package func look(atTarget exists: Bool) async throws {
        if let mark = try await MoveMark.read(source.database), mark.state != .moving {
            throw mark.refusal(of: source.name)
        }
        guard exists, try await join() == nil else { return }
        try await target.database.read { tx in try requireEmpty(tx) }
    }

    private func compare(_ report: @escaping @Sendable (Progress) -> Void) async throws {
        var different: [String] = []
        for table in tables {
            let name = table.table.name
            async let one = sum(table, in: source, named: MoveFence.name(of: table.table), report)
            async let other = sum(table, in: target, named: name) { _ in }
            let comparison = Comparison(table: name, source: try await one, target: try await other)
            report(.compared(comparison))
            if !comparison.isSame { different.append(name) }
        }
        guard different.isEmpty else {
            let names = different.joined(separator: ", ")
            throw ServiceError(
                .damaged,
                """
                what is in \(target.name) is not what is in \(source.name): \(names). The source is what counts; \
                'cairn move database' with --cancel gives it back. Was a server or another program at work?
                """
            )
        }
    }

    private func sum(
        _ table: MovedTable,
        in place: Place,
        named name: String,
        _ report: (Progress) -> Void
    ) async throws -> TableSum {
        var sum = TableSum()
        var page = MovedTable.Page()
        repeat {
            let (last, limit) = (page.last, page.nextLimit)
            let part: TableSum
            (page, part) = try await place.database.read { tx in
                var part = TableSum()
                let page = try table.read(from: name, after: last, limit: limit, in: tx) { values, size in
                    part.add(values, size: size)
                }
                return (page, part)
            }
            sum.add(part)
            report(.read(table: table.table.name, rows: sum.rows))
        } while !page.isEnd
        return sum
    }
}

// MARK: - The end

extension DatabaseMove {
    /// From here on the source is never served again, unless the move is taken back before a server ran on the target.
    private func closeSource(_ id: String) async throws {
        let now = effects.now()
        try await source.database.write { tx in
            guard var mark = try MoveMark.readLocked(in: tx), mark.id == id, [.moving, .moved].contains(mark.state)
            else { throw ServiceError(.conflict, "The move of \(source.name) was given up meanwhile.") }
            mark.state = .moved
            try mark.write(at: now, in: tx)
        }
    }

    private func finish(_ id: String) async throws {
        let now = effects.now()
        try await target.database.write { tx in
            guard let mark = try MoveMark.readLocked(in: tx), mark.id == id, [.filling, .ready].contains(mark.state)
            else { throw ServiceError(.conflict, "\(target.name) belongs to another move by now.") }
            try MoveMark.remove(in: tx)
            try MoveMark(.ready, id: id, place: source.name).write(at: now, in: tx)
        }
        try Failpoint.reach(.moveTargetReady)
    }

    /// Gives the source back to servers.
    ///
    /// - Parameter openTarget: is called only where the target could be served already.
    /// - Throws: where it was, and where the source is no source.
    package static func cancel(
        _ source: Place,
        migrations: [Migration],
        effects: Effects,
        openTarget: () async throws -> Place
    ) async throws {
        guard let mark = try await MoveMark.read(source.database) else {
            throw ServiceError(.failedPrecondition, "\(source.name) is not being moved")
        }
        switch mark.state {
        case .moving, .cancelling: break
        case .moved: try await takeBack(mark, from: try await openTarget(), at: effects.now())
        case .filling, .ready, .cancelled: throw mark.refusal(of: source.name)
        }
        let now = effects.now()
        try await source.database.write { tx in
            guard var found = try MoveMark.readLocked(in: tx), found.id == mark.id,
                [mark.state, .cancelling].contains(found.state)
            else { throw ServiceError(.conflict, "The move of \(source.name) went on meanwhile.") }
            found.state = .cancelling
            try found.write(at: now, in: tx)
        }
        try Failpoint.reach(.moveCancelling)
        try await MoveFence.lower(around: try Migration.tables(after: migrations), in: source.database)
        try await source.database.write { tx in try MoveMark.remove(in: tx) }
    }

    /// Makes sure that no server is, was or will be started on the target.
    private static func takeBack(_ mark: MoveMark, from target: Place, at now: Timestamp) async throws {
        try await target.database.write { tx in
            guard var found = try MoveMark.readLocked(in: tx), found.id == mark.id,
                [.filling, .ready, .cancelled].contains(found.state)
            else {
                throw ServiceError(
                    .failedPrecondition,
                    "\(target.name) is in use since the move: what was changed there would be lost. Move it back instead"
                )
            }
            found.state = .cancelled
            try found.write(at: now, in: tx)
        }
        try Failpoint.reach(.moveTakenBack)
    }
}
