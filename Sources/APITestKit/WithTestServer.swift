package import HTTPAPI
package import Identity
package import Kernel
package import Persistence
import Contract
import Telemetry
package import TestKit

/// Runs `body` with a server for one test: these routes over a fresh database with the accounts of `TestCaller`.
///
/// Time stands still until the test moves `server.clock`.
///
/// - Parameters:
///   - leases: who holds the lease of an update.
///   - routes: makes the routes from what services are given.
package func withTestServer<Result>(
    _ engine: Engine,
    leases: any LeaseVerifier = TestLeases.none,
    routes: (Database, Effects) -> [any RouteGroup],
    _ body: (TestServer) async throws -> Result
) async throws -> Result {
    try await withTestServer(engine, leases: leases, table: { RouteTable(routes($0, $1)) }, body)
}

/// The same for a whole table of routes.
package func withTestServer<Result>(
    _ engine: Engine,
    leases: any LeaseVerifier = TestLeases.none,
    table: (Database, Effects) -> RouteTable,
    _ body: (TestServer) async throws -> Result
) async throws -> Result {
    try await withTestDatabase(engine) { database in
        let clock = ManualClock()
        let effects = clock.effects
        try await TestAccounts(effects: effects).make(in: database)
        let log = LogRecorder()
        let logger = Logger(to: log, minimum: .debug, now: effects.now)
        let usage = TokenUsage(database: database, clock: ContinuousClock(), log: logger)
        let authorizer = IdentityAuthorizer(database: database, effects: effects, usage: usage, leases: leases)
        let routes = table(database, effects)
        let metrics = MetricsRegistry()
        let server = TestServer(
            database: database,
            clock: clock,
            routes: routes,
            pipeline: Pipeline(
                routes: routes,
                authorizer: WatchedAuthorizer(base: authorizer),
                effects: effects,
                log: logger,
                metrics: metrics
            ),
            usage: usage,
            log: log,
            metrics: metrics,
            router: Router(routes.routes.map { ($0.descriptor.method, $0.template) })
        )
        return try await body(server)
    }
}
