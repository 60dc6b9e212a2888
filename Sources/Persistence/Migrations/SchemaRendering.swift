/// Schema changes as text of one engine.
///
/// MySQL's tables are InnoDB with four-byte Unicode compared byte by byte, whatever the server's defaults are.
enum SchemaRendering {
    /// The statements of a step, in order.
    static func statements(_ step: MigrationStep, dialect: Dialect) -> [SQL] {
        switch step {
        case .createTable(let table):
            return createTable(table, dialect: dialect)
        case .addColumn(let column, let table):
            return ["ALTER TABLE \(named: table) ADD COLUMN \(named: definition(column, dialect: dialect))"]
        case .createIndex(let index, let table):
            return [createIndex(index, on: table, isUnique: false)]
        case .createUniqueKey(let index, let table):
            return [createIndex(index, on: table, isUnique: true)]
        case .dropTable(let table):
            return ["DROP TABLE \(named: table)"]
        case .dropColumn(let column, let table):
            return ["ALTER TABLE \(named: table) DROP COLUMN \(named: column)"]
        case .dropIndex(let index, let table):
            let place: SQL = dialect == .mysql ? " ON \(named: table)" : ""
            return ["DROP INDEX \(named: index.name(on: table))\(place)"]
        case .data(let sqlite, let mysql):
            return dialect == .sqlite ? sqlite : mysql
        }
    }

    /// A table with its keys and indexes.
    ///
    /// Unique keys are indexes of their own on SQLite, because it cannot drop a key that is part of the table.
    static func createTable(_ table: Table, dialect: Dialect) -> [SQL] {
        var lines = table.columns.map { definition($0, dialect: dialect) }
        lines.append("PRIMARY KEY (\(table.primaryKey.joined(separator: ", ")))")
        if dialect == .mysql {
            lines += table.uniqueKeys.map { "UNIQUE KEY \($0.name(on: table.name)) (\(columnList($0, in: table)))" }
            lines += table.indexes.map { "KEY \($0.name(on: table.name)) (\(columnList($0, in: table)))" }
        }
        lines += table.foreignKeys.map { foreignKey($0, on: table.name) }
        let body = lines.map { "    \($0)" }.joined(separator: ",\n")
        let create: SQL =
            "CREATE TABLE \(named: table.name) (\n\(named: body)\n) \(named: options(table, dialect: dialect))"
        guard dialect == .sqlite else { return [create] }
        return [create] + table.uniqueKeys.map { createIndex($0, on: table.name, isUnique: true) }
            + table.indexes.map { createIndex($0, on: table.name, isUnique: false) }
    }

    private static func options(_ table: Table, dialect: Dialect) -> String {
        switch dialect {
        case .sqlite: table.isClustered ? "STRICT, WITHOUT ROWID" : "STRICT"
        case .mysql: "ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        }
    }

    private static func createIndex(_ index: Table.Index, on table: String, isUnique: Bool) -> SQL {
        let kind = isUnique ? "UNIQUE INDEX" : "INDEX"
        return "CREATE \(named: kind) \(named: index.name(on: table)) ON \(named: table) (\(named: columnList(index)))"
    }

    /// The columns of an index.
    ///
    /// - Parameter table: on MySQL, where an index has only the beginning of a long column: servers of the time of 5.6
    ///   take no more, and one schema for all of them is easier to know than two.
    private static func columnList(_ index: Table.Index, in table: Table? = nil) -> String {
        index.columns.map { column in
            let prefix = table?.column(column.name)?.keyPrefix.map { "(\($0))" } ?? ""
            return "\(column.name)\(prefix)\(column.isDescending ? " DESC" : "")"
        }.joined(separator: ", ")
    }

    private static func foreignKey(_ key: ForeignKey, on table: String) -> String {
        let columns = key.columns.joined(separator: ", ")
        let referenced = key.referencedColumns.joined(separator: ", ")
        return "CONSTRAINT \(key.name(on: table)) FOREIGN KEY (\(columns)) REFERENCES \(key.table) (\(referenced))"
    }

    private static func definition(_ column: Column, dialect: Dialect) -> String {
        let null = column.isNullable ? "" : " NOT NULL"
        let value = column.defaultValue.map { " DEFAULT \(literal($0))" } ?? ""
        let check = dialect == .sqlite ? lengthCheck(column) : ""
        return "\(column.name) \(type(column.kind, dialect: dialect))\(null)\(value)\(check)"
    }

    private static func type(_ kind: ColumnKind, dialect: Dialect) -> String {
        switch (kind, dialect) {
        case (.id, .mysql): "CHAR(36) CHARACTER SET ascii COLLATE ascii_bin"
        case (.name(let length), .mysql): "VARCHAR(\(length))"
        case (.ascii(let length), .mysql): "VARCHAR(\(length)) CHARACTER SET ascii COLLATE ascii_bin"
        case (.text, .mysql): "LONGTEXT"
        case (.bytes, .mysql): "LONGBLOB"
        case (.binary(let length), .mysql): "VARBINARY(\(length))"
        case (.bool, .mysql): "TINYINT"
        case (.integer, .mysql), (.timestamp, .mysql): "BIGINT"
        case (.id, .sqlite), (.name, .sqlite), (.ascii, .sqlite), (.text, .sqlite): "TEXT"
        case (.bytes, .sqlite), (.binary, .sqlite): "BLOB"
        case (.bool, .sqlite), (.integer, .sqlite), (.timestamp, .sqlite): "INTEGER"
        }
    }

    /// SQLite's types have no length, so that it would take what MySQL refuses.
    private static func lengthCheck(_ column: Column) -> String {
        switch column.kind {
        case .name(let length), .ascii(let length), .binary(let length):
            " CHECK (length(\(column.name)) <= \(length))"
        default: ""
        }
    }

    /// `Migration.problems` lets only integers and plain words pass.
    private static func literal(_ value: SQLValue) -> String {
        switch value {
        case .null: "NULL"
        case .integer(let number): String(number)
        case .text(let text): "'\(text)'"
        case .bytes: "''"
        }
    }
}

extension SQL.Interpolation {
    /// A name of the schema or text made of such names; only inside this module.
    mutating func appendInterpolation(named text: String) {
        appendLiteral(text)
    }
}
