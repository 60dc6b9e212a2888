/// The schema that migrations lead to, as SQL that people read.
///
/// What `data` steps did is not part of it.
package enum SchemaDump {
    /// The tables in the order of their creation, with a line of explanation above.
    ///
    /// - Throws: `MigrationError.invalid`.
    package static func text(of migrations: [Migration], dialect: Dialect) throws -> String {
        let problems = Migration.problems(in: migrations)
        guard problems.isEmpty else { throw MigrationError.invalid(problems) }
        let last = migrations.last?.number ?? 0
        let header = "-- Written from the migrations up to \(last) for \(dialect.rawValue); do not edit.\n"
        let statements = try Migration.tables(after: migrations).map { table in
            SchemaRendering.createTable(table, dialect: dialect).map { "\($0.text);\n" }.joined()
        }
        return ([header] + statements).joined(separator: "\n")
    }
}
