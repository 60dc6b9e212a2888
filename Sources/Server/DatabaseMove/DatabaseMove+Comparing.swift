import Kernel
import Persistence

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
        if let mark = try await MoveMark.read(source.database), ![.copying, .moving].contains(mark.state) {
            throw mark.refusal(of: source.name)
        }
        guard exists, try await join() == nil else { return }
        try await target.database.read { tx in try requireEmpty(tx) }
    }

    /// Compares both sides, where that was not done while the source was served: then their rows are counted.
    func compare(_ traced: Traced, _ report: @escaping @Sendable (Progress) -> Void) async throws {
        var different: [String] = []
        for table in tables {
            let name = table.table.name
            guard !traced.checked.contains(name) else {
                let one = try await count(table, in: source, named: MoveFence.name(of: table.table))
                let other = try await count(table, in: target, named: name)
                report(.counted(table: name, source: one, target: other))
                if one != other { different.append(name) }
                continue
            }
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

    private func count(_ table: MovedTable, in place: Place, named name: String) async throws -> Int {
        try await place.database.read { tx in
            let all = try tx.count("SELECT COUNT(*) FROM \(SQL(identifier: name))")
            guard table.table.name == MoveMark.table else { return all }
            let names = try tx.all("SELECT name FROM server_values") { try $0.text(0) }
            return all - names.count { $0.hasPrefix(MoveMark.prefix) }
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
