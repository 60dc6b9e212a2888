import Kernel

/// The table in which a database remembers what was applied.
enum MigrationLedger {
    /// One migration that was applied or begun.
    struct Entry: Sendable {
        let number: Int
        let name: String
        /// Of the first `steps` steps.
        let checksum: String
        /// How many steps are done.
        let steps: Int
        let isComplete: Bool
    }

    static let table = Table(
        "cairn_migrations",
        columns: [
            Column("number", .integer),
            Column("name", .name(190)),
            Column("checksum", .ascii(16)),
            Column("steps", .integer),
            Column("is_complete", .bool),
        ],
        primaryKey: ["number"]
    )

    static func entries(in tx: Transaction) throws -> [Entry] {
        guard try SchemaCatalog.hasTable(table.name, in: tx) else { return [] }
        return try tx.all(
            "SELECT number, name, checksum, steps, is_complete FROM cairn_migrations ORDER BY number"
        ) { row in
            Entry(
                number: try row.int(0),
                name: try row.text(1),
                checksum: try row.text(2),
                steps: try row.int(3),
                isComplete: try row.bool(4)
            )
        }
    }

    static func record(_ migration: Migration, steps: Int, in tx: Transaction) throws {
        try Failpoint.reach(.migrationRecord)
        try tx.upsert(
            into: table.name,
            key: ["number": migration.number],
            set: [
                "name": migration.name,
                "checksum": migration.checksum(ofSteps: steps),
                "steps": steps,
                "is_complete": steps == migration.steps.count,
            ]
        )
        try Failpoint.reach(.migrationRecorded)
    }
}

/// What exists in the database, as the engine tells.
enum SchemaCatalog {
    static func hasTable(_ name: String, in tx: Transaction) throws -> Bool {
        let sql: SQL =
            switch tx.dialect {
            case .sqlite: "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = \(name)"
            case .mysql:
                """
                SELECT COUNT(*) FROM information_schema.tables
                WHERE table_schema = DATABASE() AND table_name = \(name)
                """
            }
        return try tx.count(sql) > 0
    }

    /// The names of all triggers.
    static func triggers(in tx: Transaction) throws -> Set<String> {
        let sql: SQL =
            switch tx.dialect {
            case .sqlite: "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
            case .mysql: "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()"
            }
        return Set(try tx.all(sql) { try $0.text(0) })
    }

    /// Whether an interrupted run on MySQL got as far as this step, which was not recorded.
    ///
    /// A table counts only with the columns it should have: one of another program is met, not adopted.
    static func isDone(_ step: MigrationStep, in tx: Transaction) throws -> Bool {
        switch step {
        case .createTable(let table): try columns(of: table.name, in: tx) == table.columns.map(\.name)
        case .addColumn(let column, let table): try hasColumn(column.name, of: table, in: tx)
        case .createIndex(let index, let table), .createUniqueKey(let index, let table):
            try hasIndex(index.name(on: table), of: table, in: tx)
        case .dropTable(let table): try !hasTable(table, in: tx)
        case .dropColumn(let column, let table): try !hasColumn(column, of: table, in: tx)
        case .dropIndex(let index, let table): try !hasIndex(index.name(on: table), of: table, in: tx)
        case .data: false
        }
    }

    private static func columns(of table: String, in tx: Transaction) throws -> [String] {
        try tx.all(
            """
            SELECT column_name FROM information_schema.columns
            WHERE table_schema = DATABASE() AND table_name = \(table) ORDER BY ordinal_position
            """
        ) { try $0.text(0) }
    }

    private static func hasColumn(_ name: String, of table: String, in tx: Transaction) throws -> Bool {
        try tx.count(
            """
            SELECT COUNT(*) FROM information_schema.columns
            WHERE table_schema = DATABASE() AND table_name = \(table) AND column_name = \(name)
            """
        ) > 0
    }

    private static func hasIndex(_ name: String, of table: String, in tx: Transaction) throws -> Bool {
        try tx.count(
            """
            SELECT COUNT(*) FROM information_schema.statistics
            WHERE table_schema = DATABASE() AND table_name = \(table) AND index_name = \(name)
            """
        ) > 0
    }
}

extension Transaction {
    /// Whether the database has a table of this name.
    package func hasTable(_ name: String) throws -> Bool {
        try SchemaCatalog.hasTable(name, in: self)
    }
}
