/// The SQL that differs between engines, as text.
///
/// Table and column names come from literals in stores.
package enum SQLRendering {
    package static func insert(into table: String, _ values: ColumnValues) -> SQL {
        var sql = SQL(unchecked: "INSERT INTO \(table) (\(names(values))) VALUES ")
        sql += placeholders(values)
        return sql
    }

    package static func upsert(
        into table: String,
        key: ColumnValues,
        set: ColumnValues,
        dialect: Dialect
    ) -> SQL {
        let columns = "\(names(key)), \(names(set))"
        var sql = SQL(unchecked: "INSERT INTO \(table) (\(columns)) VALUES (")
        sql += list(key)
        sql += ", "
        sql += list(set)
        switch dialect {
        case .sqlite:
            let assignments = set.map { "\($0.key) = excluded.\($0.key)" }.joined(separator: ", ")
            sql += SQL(unchecked: ") ON CONFLICT (\(names(key))) DO UPDATE SET \(assignments)")
        case .mysql:
            let assignments = set.map { "\($0.key) = VALUES(\($0.key))" }.joined(separator: ", ")
            sql += SQL(unchecked: ") ON DUPLICATE KEY UPDATE \(assignments)")
        }
        return sql
    }

    /// For SQLite; see `Transaction.insertIgnoringDuplicates` for the other engines.
    static func insertOnConflictDoNothing(into table: String, _ values: ColumnValues) -> SQL {
        var sql = insert(into: table, values)
        sql += " ON CONFLICT DO NOTHING"
        return sql
    }

    /// For MySQL, where this takes the row for itself whether it was there or not; a plain `INSERT` shares it with all who
    /// found it there.
    static func insertOrLock(into table: String, key: String, _ values: ColumnValues) -> SQL {
        var sql = insert(into: table, values)
        sql += SQL(unchecked: " ON DUPLICATE KEY UPDATE \(key) = \(key)")
        return sql
    }

    package static func lock(_ table: String, where condition: SQL) -> SQL {
        var sql = SQL(unchecked: "SELECT 1 FROM \(table) WHERE ")
        sql += condition
        sql += " FOR UPDATE"
        return sql
    }

    /// `instr` compares bytes on SQLite; MySQL's follows the collation, and every text column has a binary one.
    package static func contains(_ column: String, _ text: String) -> SQL {
        var sql = SQL(unchecked: "instr(\(column), ")
        sql += "\(text)) > 0"
        return sql
    }

    private static func names(_ values: ColumnValues) -> String {
        values.map(\.key).joined(separator: ", ")
    }

    private static func placeholders(_ values: ColumnValues) -> SQL {
        var sql: SQL = "("
        sql += list(values)
        sql += ")"
        return sql
    }

    private static func list(_ values: ColumnValues) -> SQL {
        SQL.joined(values.map { SQL(parameter: $0.value.sqlValue) }, by: ", ")
    }
}
