/// Why migrations did not run.
package enum MigrationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The migrations themselves are wrong; nothing was touched.
    case invalid([String])
    /// A newer version of the program was here: use that one.
    case ahead(database: Int, program: Int)
    /// What was applied is not what the program holds under that number.
    case changed(number: Int, name: String)
    /// Steps are missing and may not be applied now.
    case behind(database: Int, program: Int)

    package var description: String {
        switch self {
        case .invalid(let problems):
            "the migrations are wrong: \(problems.joined(separator: "; "))"
        case .ahead(let database, let program):
            """
            the database has schema \(database) and this program knows \(program): \
            it was used by a newer version, run that one
            """
        case .changed(let number, let name):
            """
            migration \(number) of the database (\(name)) is not the one in this program: \
            the database belongs to another version or a development build
            """
        case .behind(let database, let program):
            "the database has schema \(database) and this program needs \(program): run 'cairn migrate up'"
        }
    }
}
