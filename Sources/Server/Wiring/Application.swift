package import AuditArchive
package import Encryption
import Events
package import HTTPAPI
package import Identity
package import Jobs
package import Kernel
package import OutboundHTTP
package import Persistence
import Stacks
package import Telemetry

/// Everything that answers requests and does jobs, wired to one database and one object store.
package struct Application: Sendable {
    /// What the application stands on.
    package struct Foundation: Sendable {
        package var database: Database
        package var objects: any ObjectStore
        package var keys: DataKeys
        package var effects: Effects
        package var clock: any Clock<Duration>
        package var compute: BlockingPool
        package var outbound: OutboundClient
        /// Where the audit log is kept besides the database.
        package var archive: AuditArchive?

        package init(
            database: Database,
            objects: any ObjectStore,
            keys: DataKeys,
            effects: Effects,
            clock: any Clock<Duration>,
            compute: BlockingPool,
            outbound: OutboundClient,
            archive: AuditArchive? = nil
        ) {
            self.database = database
            self.objects = objects
            self.keys = keys
            self.effects = effects
            self.clock = clock
            self.compute = compute
            self.outbound = outbound
            self.archive = archive
        }
    }

    package let pipeline: Pipeline
    package let routes: RouteTable
    package let readiness: Readiness
    package let usage: TokenUsage
    package let jobs: [JobRunner.Kind]

    package init(_ foundation: Foundation, log: Logger, metrics: MetricsRegistry) {
        let database = foundation.database
        let check = DatabaseCheck(database: database, effects: foundation.effects)
        readiness = Readiness(checks: [Readiness.Check("database", check.run)], clock: foundation.clock)
        usage = TokenUsage(database: database, clock: foundation.clock, log: log)
        let stacks = Self.stacks(foundation)
        routes = Self.routes(foundation, readiness: readiness, stacks: stacks)
        let events = EventDispatcher(
            database: database,
            effects: foundation.effects,
            subscriptions: Self.subscriptions,
            metrics: metrics
        )
        let archiving = foundation.archive?.job(database: database, effects: foundation.effects, metrics: metrics)
        jobs = stacks.jobs + events.jobs + [archiving ?? AuditArchive.absent]
        let authorizer = IdentityAuthorizer(
            database: database,
            effects: foundation.effects,
            usage: usage,
            leases: StackLeases()
        )
        pipeline = Pipeline(
            routes: routes,
            authorizer: authorizer,
            effects: foundation.effects,
            log: log,
            metrics: metrics,
            options: Pipeline.Options(
                compute: foundation.compute,
                memory: MemoryBudget(bytes: Self.bodyMemory)
            )
        )
    }

    /// What all bodies that are held whole may take together, in bytes; saves of state are not, they are streamed.
    private static let bodyMemory = 256 << 20

    /// Puts schedules into the database that are not there yet.
    package static func schedule(_ foundation: Foundation) async throws {
        let queue = JobQueue(effects: foundation.effects)
        try await foundation.database.write { tx in
            try queue.schedule(ExpireLeasesJob.self, in: tx)
            try queue.schedule(HousekeepingJob.self, in: tx)
            try EventDispatcher.schedule(with: queue, in: tx)
            if foundation.archive != nil { try AuditArchive.schedule(with: queue, in: tx) }
        }
    }

    /// What capabilities do when something happened, each with the subscriptions of its services; none does yet.
    private static let subscriptions: [EventSubscription] = []

    /// Every route: what is built, and 501 for the rest of the contract.
    package static func routes(_ foundation: Foundation, readiness: Readiness) -> RouteTable {
        routes(foundation, readiness: readiness, stacks: stacks(foundation))
    }

    private static func routes(
        _ foundation: Foundation,
        readiness: Readiness,
        stacks: StackServices
    ) -> RouteTable {
        let (database, effects) = (foundation.database, foundation.effects)
        let documents = OutboundDocuments(client: foundation.outbound)
        let tokens = PersonalTokenService(database: database, effects: effects)
        let own: [any RouteGroup] = [
            StatusRoutes(readiness: readiness),
            ServiceMetadataRoutes(),
            CurrentUserRoutes(users: CurrentUserService(database: database, effects: effects)),
            EmailRoutes(),
            PersonalTokenRoutes(tokens: tokens),
            BrowserLoginRoutes(logins: BrowserLoginService(database: database, effects: effects, tokens: tokens)),
            OrganizationTokenRoutes(tokens: OrganizationTokenService(database: database, effects: effects)),
            OIDCIssuerRoutes(
                issuers: OIDCIssuerService(database: database, effects: effects, documents: documents)
            ),
            TokenExchangeRoutes(
                exchange: TokenExchangeService(
                    database: database,
                    effects: effects,
                    keys: IssuerKeys(documents: documents, effects: effects)
                )
            ),
        ]
        var table = RouteTable(own + stacks.routes)
        table.unimplemented(Unimplemented.operations)
        return table
    }

    private static func stacks(_ foundation: Foundation) -> StackServices {
        StackServices(
            database: foundation.database,
            effects: foundation.effects,
            objects: foundation.objects,
            keys: foundation.keys,
            compute: foundation.compute
        )
    }
}
