package import HTTPAPI
import Kernel
import Persistence
import Telemetry

/// `cairn routes`: every route with its access and its audit action, as in `docs/routes.txt`.
package struct RoutesCommand: Command {
    package static let name = "routes"
    package static let summary = "Lists every route, who may call it and what is audited"

    package init(_ parsed: ParsedArguments) {}

    package func run(_ environment: ProcessEnvironment) async -> Int32 {
        environment.standardOutput(Self.listing(environment).text)
        return ExitCode.success
    }

    /// The table does not depend on a database: none is opened.
    package static func listing(_ environment: ProcessEnvironment) -> RouteListing {
        let database = Database(driver: ClosedDatabase())
        let readiness = Readiness(checks: [], clock: environment.clock)
        let table = Application.routes(database: database, effects: environment.effects, readiness: readiness)
        return RouteListing(table.routes)
    }
}

/// A database that refuses everything, for tables that are only listed.
struct ClosedDatabase: DatabaseDriver {
    let dialect = Dialect.sqlite

    func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        throw DatabaseError.unavailable("there is no database")
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        throw DatabaseError.unavailable("there is no database")
    }

    func migrate<T: Sendable>(_ body: @escaping @Sendable (any MigrationSession) throws -> T) async throws -> T {
        throw DatabaseError.unavailable("there is no database")
    }

    func close() async {}
}
