import Kernel
import Persistence

// MARK: - What changes while the source is served

extension DatabaseMove {
    /// Rounds over all tables, until there is little to do in one; more are of no use where rows change faster.
    private static let rounds = 20
    private static let fewChanges = 200

    /// What is known of a table that was copied while it was served.
    struct Traced: Sendable {
        /// Its changes are written down.
        var laid: Set<String> = []
        /// Each of its rows was compared, and each change after that.
        var checked: Set<String> = []
    }

    func traced(_ id: String) async throws -> Traced {
        var traced = Traced()
        traced.laid = try await source.database.read { tx in
            Set(try ChangeTrace.laid(tables.map(\.trace), in: tx).map(\.table.name))
        }
        let rows = try await target.database.read { tx in
            try tx.all("SELECT name FROM server_values WHERE value = \(id)") { try $0.text(0) }
        }
        let checked = tables.map(\.table.name).filter { rows.contains(MoveMark.checkedRow(of: $0)) }
        traced.checked = traced.laid.intersection(checked)
        return traced
    }

    /// Has every change of the source written down from now on.
    ///
    /// - Throws: where changes were lost since rows were copied, and where the account may make no triggers.
    func trace(_ turns: MoveTurns) async throws {
        let laid = try await traced(turns.move).laid
        let missing = tables.filter { !laid.contains($0.table.name) }
        for table in missing {
            guard try await progress(of: table, in: turns.move).rows == 0 else {
                let text =
                    "changes of \(table.table.name) were not traced since its rows were copied: --cancel the move"
                throw ServiceError(.failedPrecondition, text)
            }
        }
        do {
            try await source.database.migrate { session in
                for table in missing {
                    try Failpoint.reach(.moveTraceLay)
                    try table.trace.lay(in: session)
                }
            }
        } catch let error as ServiceError where (error.cause as? DatabaseError)?.isLackOfTriggerRight == true {
            throw ServiceError(
                .failedPrecondition,
                """
                the account may not make triggers in \(source.name), which tell what changes while it is served: grant \
                it TRIGGER, and where the server writes a binary log, set log_bin_trust_function_creators there; or \
                move at rest, without --online
                """,
                cause: error
            )
        }
        try Failpoint.reach(.moveTracesLaid)
    }

    /// Takes changes over until few are left.
    func followOnline(_ turns: MoveTurns, _ report: (Progress) -> Void) async throws {
        for _ in 0..<Self.rounds {
            guard try await follow(tables, .served, turns, report) >= Self.fewChanges else { return }
        }
    }

    /// Takes over all changes of a source that does not change any more.
    func followToTheEnd(_ traced: Traced, _ turns: MoveTurns, _ report: (Progress) -> Void) async throws {
        let tables = tables.filter { traced.laid.contains($0.table.name) }
        while try await follow(tables, .fenced, turns, report) > 0 {}
    }

    /// How many changes are traced.
    func pending() async throws -> Int {
        try await source.database.read { tx in
            try tables.reduce(0) { try $0 + tx.count("SELECT COUNT(*) FROM \(SQL(identifier: $1.trace.name))") }
        }
    }

    /// Takes over what changed, table by table.
    ///
    /// - Returns: how many changes that were.
    private func follow(
        _ tables: [MovedTable],
        _ naming: Naming,
        _ turns: MoveTurns,
        _ report: (Progress) -> Void
    ) async throws -> Int {
        var all = 0
        for table in tables {
            var count: Int
            repeat {
                count = try await follow(table, naming, turns)
                all += count
                if count > 0 { report(.followed(changes: count)) }
            } while count >= MovedTable.mostChanges
        }
        return all
    }

    /// Brings the rows of some changes to the target as they are now.
    ///
    /// A change is taken out of the trace after that, by its number: one that comes meanwhile stays, and after a crash
    /// the same is done once more.
    ///
    /// - Returns: how many changes that were.
    private func follow(_ table: MovedTable, _ naming: Naming, _ turns: MoveTurns) async throws -> Int {
        let name = naming.name(of: table)
        let changes = try await source.database.read { tx in try table.changes(from: name, in: tx) }
        guard !changes.numbers.isEmpty else { return 0 }
        try await turns.write(at: effects.now()) { tx in
            for key in changes.rows.keys { try table.delete(key, in: tx) }
            try table.insert(changes.rows.values.compactMap(\.self), isReplacing: true, in: tx)
        }
        try Failpoint.reach(.moveChangesWritten)
        let differing = try await target.database.read { tx in
            let found = try table.rows(changes.rows.keys, from: table.table.name, in: tx)
            return changes.rows.first { key, row in found[key] != row }
        }
        if let differing { throw difference(at: differing.key, of: table) }
        try await source.database.write { tx in try table.drop(changes, in: tx) }
        try Failpoint.reach(.moveChangesTaken)
        return changes.numbers.count
    }

    // MARK: - Comparing while the source is served

    /// Compares every row of the source with that of the target.
    ///
    /// In one snapshot of the source a row is the one that was brought to the target, or its key is among the changes.
    func check(
        _ table: MovedTable,
        of id: String,
        _ turns: MoveTurns,
        _ report: (Progress) -> Void
    ) async throws {
        let name = table.table.name
        var (page, rows) = (MovedTable.Page(), 0)
        repeat {
            while try await follow(table, .served, turns) >= MovedTable.mostChanges {}
            let (last, limit) = (page.last, page.nextLimit)
            let found: [[SQLValue]]
            let changed: Set<[SQLValue]>
            (page, found, changed) = try await source.database.read { tx in
                var found: [[SQLValue]] = []
                let page = try table.read(from: name, after: last, limit: limit, in: tx) { values, _ in
                    found.append(values)
                }
                return (page, found, try table.changedKeys(in: tx))
            }
            let differing = try await target.database.read { tx in
                let keys = found.map { table.key(of: $0) }
                let copies = try table.rows(keys, from: name, in: tx)
                return zip(keys, found).first { key, row in !changed.contains(key) && copies[key] != row }
            }
            if let differing { throw difference(at: differing.0, of: table) }
            rows += found.count
            report(.read(table: name, rows: rows))
        } while !page.isEnd
        let now = effects.now()
        try await turns.write(at: now) { tx in
            let key = ["name": MoveMark.checkedRow(of: name)] as ColumnValues
            try tx.upsert(into: MoveMark.table, key: key, set: ["value": id, "updated_at": now])
        }
        try Failpoint.reach(.moveTableChecked)
    }

    private func difference(at key: [SQLValue], of table: MovedTable) -> ServiceError {
        let key = key.map(\.described).joined(separator: ", ")
        return ServiceError(
            .damaged,
            """
            the row (\(key)) of \(table.table.name) is another one in \(target.name), or is not there: the engine takes it \
            for the same as another row, or somebody else is at work. The source is what counts; \
            'cairn move database' with --cancel gives the move up
            """
        )
    }
}
