import Kernel
import Persistence

// MARK: - Rows

extension DatabaseMove {
    /// What the tables of the source are called.
    enum Naming {
        case served
        case fenced

        func name(of table: MovedTable) -> String {
            switch self {
            case .served: table.table.name
            case .fenced: MoveFence.name(of: table.table)
            }
        }
    }

    private struct Batch: Sendable {
        var page: MovedTable.Page
        var rows: [[SQLValue]]
    }

    /// Copies a table from where an earlier run stopped; the next rows are read while some are written.
    ///
    /// While the source is served, a row comes with what it was when it was read: what it became is traced.
    func copy(
        _ table: MovedTable,
        from naming: Naming,
        isTraced: Bool,
        _ turns: MoveTurns,
        _ report: (Progress) -> Void
    ) async throws {
        var progress = try await progress(of: table, in: turns.move)
        guard !progress.isEnd else { return }
        let name = naming.name(of: table)
        var batch = try await read(table, from: name, after: progress.last, limit: MovedTable.firstLimit)
        while true {
            let page = batch.page
            async let following: Batch? =
                page.isEnd ? nil : read(table, from: name, after: page.last, limit: page.nextLimit)
            progress = try await write(batch, of: table, after: progress, isTraced: isTraced, turns)
            try Failpoint.reach(.moveRowsCopied)
            report(.copied(table: table.table.name, rows: progress.rows, bytes: progress.bytes))
            guard let next = try await following else { return }
            batch = next
        }
    }

    func progress(of table: MovedTable, in id: String) async throws -> MoveProgress {
        let row = MoveMark.copiedRow(of: table.table.name)
        let text = try await target.database.read { tx in
            try tx.first("SELECT value FROM server_values WHERE name = \(row)") { try $0.text(0) }
        }
        guard let text, let progress = MoveProgress(text), progress.move == id else {
            throw ServiceError(.damaged, "\(target.name) does not tell how much of \(table.table.name) was copied.")
        }
        return progress
    }

    private func read(
        _ table: MovedTable,
        from name: String,
        after last: [SQLValue]?,
        limit: Int
    ) async throws -> Batch {
        try await source.database.read { tx in
            var rows: [[SQLValue]] = []
            let page = try table.read(from: name, after: last, limit: limit, in: tx) { values, _ in
                rows.append(values)
            }
            return Batch(page: page, rows: rows)
        }
    }

    /// The rows and how far they reach, both or neither.
    private func write(
        _ batch: Batch,
        of table: MovedTable,
        after old: MoveProgress,
        isTraced: Bool,
        _ turns: MoveTurns
    ) async throws -> MoveProgress {
        var progress = old
        progress.take(batch.page)
        let new = progress
        let now = effects.now()
        let name = MoveMark.copiedRow(of: table.table.name)
        try await turns.write(at: now) { tx in
            try tx.execute("UPDATE server_values SET value = \(new.text), updated_at = \(now) WHERE name = \(name)")
            try table.insert(batch.rows, isReplacing: isTraced, in: tx)
            try Failpoint.reach(.moveRowsInserted)
        }
        return new
    }
}
