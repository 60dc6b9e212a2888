/// The keys of the rows of a table that were inserted, updated or deleted, written down by triggers.
///
/// So a copy of the table can follow it while any program writes to it. Each change is in the trace by the commit that
/// made it, and costs one small row there. It stays until it is taken: a trace that nobody reads grows.
package struct ChangeTrace: Sendable {
    /// What the numbers of changes are called; the other columns are the table's primary key.
    package static let number = "change_number"

    private enum Event: String, CaseIterable {
        case insert, update, delete
    }

    package let table: Table
    private let key: [Column]

    package init(_ table: Table) {
        self.table = table
        key = table.primaryKey.compactMap { table.column($0) }
    }

    /// The table that holds the trace.
    package var name: String { "changed_\(table.name)" }

    /// Those of which every change is traced.
    package static func laid(_ traces: [ChangeTrace], in tx: Transaction) throws -> [ChangeTrace] {
        let triggers = try SchemaCatalog.triggers(in: tx)
        return traces.filter { trace in Event.allCases.allSatisfy { triggers.contains(trace.trigger($0)) } }
    }

    /// Begins to trace; what an interrupted run left is taken over.
    ///
    /// On MySQL it waits for the transactions that use the table; those that come later are traced.
    ///
    /// - Throws: what `MigrationSession.execute` throws; see `DatabaseError.isLackOfTriggerRight`.
    package func lay(in session: any MigrationSession) throws {
        if try !session.transaction({ tx in try tx.hasTable(name) }) {
            let columns = [Column(Self.number, .integer)] + key.map { Column($0.name, $0.kind) }
            let trace = Table(name, columns: columns, primaryKey: [Self.number])
            for statement in SchemaRendering.createTable(trace, dialect: session.dialect) {
                try session.execute(statement)
            }
        }
        if session.dialect == .mysql {
            // To say it again changes nothing; SQLite numbers such a column by itself.
            try session.execute(
                "ALTER TABLE \(named: name) MODIFY \(named: Self.number) BIGINT NOT NULL AUTO_INCREMENT"
            )
        }
        for event in Event.allCases {
            try session.execute("DROP TRIGGER IF EXISTS \(named: trigger(event))")
            try session.execute(make(event, session.dialect))
        }
    }

    /// Ends tracing, and drops the trace.
    package func lift(in session: any MigrationSession) throws {
        for event in Event.allCases {
            try session.execute("DROP TRIGGER IF EXISTS \(named: trigger(event))")
        }
        try session.execute("DROP TABLE IF EXISTS \(named: name)")
    }

    // MARK: - Statements

    private func trigger(_ event: Event) -> String { "\(name)_by_\(event.rawValue)" }

    private func make(_ event: Event, _ dialect: Dialect) -> SQL {
        let columns = key.map(\.name).joined(separator: ", ")
        let (old, new) = (values(of: "OLD", dialect), values(of: "NEW", dialect))
        let rows =
            switch event {
            case .insert: new
            case .delete: old
            // A row that gets another key is one that went and one that came.
            case .update: "\(new) UNION ALL \(old) WHERE \(isMoved(dialect))"
            }
        let insert = "INSERT INTO \(name) (\(columns)) \(rows)"
        let body = dialect == .sqlite ? "BEGIN \(insert); END" : insert
        return """
            CREATE TRIGGER \(named: trigger(event)) AFTER \(named: event.rawValue.uppercased()) ON \(named: table.name) \
            FOR EACH ROW \(named: body)
            """
    }

    private func values(of row: String, _ dialect: Dialect) -> String {
        let values = key.map { "\(row).\($0.name)" }.joined(separator: ", ")
        return "SELECT \(values)\(dialect == .mysql ? " FROM DUAL" : "")"
    }

    /// Byte by byte: to MySQL texts are the same that differ in spaces at the end.
    private func isMoved(_ dialect: Dialect) -> String {
        key.map { column in
            switch dialect {
            case .sqlite: "OLD.\(column.name) IS NOT NEW.\(column.name)"
            case .mysql: "HEX(OLD.\(column.name)) <> HEX(NEW.\(column.name))"
            }
        }.joined(separator: " OR ")
    }
}

extension DatabaseError {
    /// Whether the account lacks the right to make triggers: not granted on the table, or not to accounts like this one
    /// while the server writes a binary log.
    package var isLackOfTriggerRight: Bool {
        guard case .statement(let code, _, _) = self else { return false }
        return [1142, 1227, 1419].contains(code)
    }
}
