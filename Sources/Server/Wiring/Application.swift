package import HTTPAPI
import HTTPServer
package import Identity
package import Jobs
package import Kernel
package import Persistence
import Stacks
package import Telemetry

/// Everything that answers requests and does jobs, wired to one database.
package struct Application: Sendable {
    package let pipeline: Pipeline
    package let routes: RouteTable
    package let readiness: Readiness
    package let usage: TokenUsage
    package let jobs: [JobRunner.Kind]

    package init(
        database: Database,
        effects: Effects,
        clock: any Clock<Duration>,
        log: Logger,
        metrics: MetricsRegistry,
        compute: BlockingPool?
    ) {
        readiness = Readiness(
            checks: [
                Readiness.Check("database") { try await database.read { tx in _ = try tx.count("SELECT 1") } }
            ],
            clock: clock
        )
        usage = TokenUsage(database: database, clock: clock, log: log)
        routes = Self.routes(database: database, effects: effects, readiness: readiness)
        jobs = []
        let authorizer = IdentityAuthorizer(
            database: database,
            effects: effects,
            usage: usage,
            leases: NoUpdates()
        )
        pipeline = Pipeline(
            routes: routes,
            authorizer: authorizer,
            effects: effects,
            log: log,
            metrics: metrics,
            options: Pipeline.Options(compute: compute)
        )
    }

    /// Every route: what is built, and 501 for the rest of the contract.
    package static func routes(database: Database, effects: Effects, readiness: Readiness) -> RouteTable {
        var table = RouteTable([
            StatusRoutes(readiness: readiness),
            ServiceMetadataRoutes(),
            CurrentUserRoutes(users: CurrentUserService(database: database, effects: effects)),
            PersonalTokenRoutes(tokens: PersonalTokenService(database: database, effects: effects)),
            StackRoutes(stacks: StackService(database: database, effects: effects)),
            StackTagRoutes(tags: StackTagService(database: database, effects: effects)),
        ])
        table.unimplemented(Unimplemented.operations)
        return table
    }
}
