/// One change of the schema, numbered from 1 without gaps.
///
/// Never edited after a release: databases remember a checksum of what was applied.
package struct Migration: Sendable {
    package let number: Int
    package let name: String
    package let steps: [MigrationStep]

    package init(_ number: Int, _ name: String, _ steps: [MigrationStep]) {
        self.number = number
        self.name = name
        self.steps = steps
    }
}

/// One step of a migration.
///
/// MySQL commits each change of the schema by itself, so a step is the unit that is recorded there.
package enum MigrationStep: Sendable {
    case createTable(Table)
    /// The column must be nullable or have a default, because rows exist.
    case addColumn(Column, to: String)
    case createIndex(Table.Index, on: String)
    case createUniqueKey(Table.Index, on: String)
    case dropTable(String)
    case dropColumn(String, from: String)
    /// Drops an index or a unique key.
    case dropIndex(Table.Index, on: String)
    /// Moves data, all of it or nothing; never a change of the schema.
    case data(sqlite: [SQL], mysql: [SQL])

    /// Moves data by statements that every engine takes.
    package static func data(_ statements: [SQL]) -> MigrationStep {
        .data(sqlite: statements, mysql: statements)
    }
}

// MARK: - Checksum

extension Migration {
    /// Identifies the first `count` steps as they were written, whatever they are rendered to.
    ///
    /// FNV-1a of 64 bits: it finds mistakes, not attackers.
    package func checksum(ofSteps count: Int) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        let text = ([name] + steps.prefix(count).map(\.canonicalText)).joined(separator: "\n")
        for byte in text.utf8 {
            hash ^= UInt64(byte)
            hash = hash &* 0x100_0000_01b3
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension MigrationStep {
    /// The step in a form that depends on nothing but what its author wrote.
    ///
    /// Part of the checksums that databases hold: never change what it gives for a step that exists.
    var canonicalText: String {
        switch self {
        case .createTable(let table):
            table.canonicalText
        case .addColumn(let column, let table):
            "add column \(table) \(column.canonicalText)"
        case .createIndex(let index, let table):
            "create index \(table) \(index.canonicalText)"
        case .createUniqueKey(let index, let table):
            "create unique \(table) \(index.canonicalText)"
        case .dropTable(let table):
            "drop table \(table)"
        case .dropColumn(let column, let table):
            "drop column \(table) \(column)"
        case .dropIndex(let index, let table):
            "drop index \(table) \(index.canonicalText)"
        case .data(let sqlite, let mysql):
            "data sqlite \(Self.canonicalText(of: sqlite)) mysql \(Self.canonicalText(of: mysql))"
        }
    }

    private static func canonicalText(of statements: [SQL]) -> String {
        statements.map { sql in
            ([sql.text] + sql.parameters.map(\.canonicalText)).joined(separator: ", ")
        }.joined(separator: "; ")
    }
}

extension Table {
    fileprivate var canonicalText: String {
        var parts = ["create table \(name)\(isClustered ? " clustered" : "")"]
        parts += columns.map(\.canonicalText)
        parts.append("primary \(primaryKey.joined(separator: " "))")
        parts += uniqueKeys.map { "unique \($0.canonicalText)" }
        parts += indexes.map { "index \($0.canonicalText)" }
        parts += foreignKeys.map { key in
            let columns = key.columns.joined(separator: " ")
            return "foreign \(columns) -> \(key.table) \(key.referencedColumns.joined(separator: " "))"
        }
        return parts.joined(separator: "; ")
    }
}

extension Table.Index {
    fileprivate var canonicalText: String {
        columns.map { $0.isDescending ? "\($0.name) desc" : $0.name }.joined(separator: ", ")
    }
}

extension Column {
    fileprivate var canonicalText: String {
        let value = defaultValue.map { " default \($0.canonicalText)" } ?? ""
        return "\(name) \(kind.canonicalText)\(isNullable ? " null" : "")\(value)"
    }
}

extension ColumnKind {
    fileprivate var canonicalText: String {
        switch self {
        case .id: "id"
        case .name(let length): "name \(length)"
        case .ascii(let length): "ascii \(length)"
        case .text: "text"
        case .bytes: "bytes"
        case .binary(let length): "binary \(length)"
        case .bool: "bool"
        case .integer: "integer"
        case .timestamp: "timestamp"
        }
    }
}

extension SQLValue {
    fileprivate var canonicalText: String {
        switch self {
        case .null: "null"
        case .integer(let value): "integer \(value)"
        case .text(let value): "text \(value)"
        case .bytes(let value): "bytes \(value.map(String.init).joined(separator: " "))"
        }
    }
}
