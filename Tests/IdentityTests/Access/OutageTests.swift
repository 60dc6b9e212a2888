import APITestKit
import HTTPAPI
import HTTPServer
import Identity
import Kernel
import Persistence
import Synchronization
import Telemetry
import TestKit
import Testing

@Suite("While the database is away")
struct OutageTests {
    @Test("every request that needs it is answered 503, never 401, 403 or 404, and it recovers by itself")
    func answersUnavailable() async throws {
        try await withTestStore(.sqlite) { store in
            let driver = FragileDriver(base: store.driver)
            let database = Database(driver: driver, attempts: 2, pause: { _ in })
            let pipeline = try await pipeline(database)
            let targets = [("GET", "/api/user"), ("GET", "/api/user/tokens"), ("POST", "/api/user/tokens")]

            driver.isAway = true
            for (method, target) in targets {
                let reply = await pipeline.respond(to: request(method, target))
                #expect(reply.status.code == 503)
                #expect(reply.headers["Retry-After"] != nil)
            }
            driver.isAway = false
            let reply = await pipeline.respond(to: request("GET", "/api/user"))

            // The database is empty: the credential is unknown now that somebody could look.
            #expect(reply.status.code == 401)
        }
    }

    @Test("uses of tokens are kept for later")
    func keepsUses() async throws {
        try await withTestStore(.sqlite) { store in
            let driver = FragileDriver(base: store.driver)
            let clock = ManualClock()
            let log = LogRecorder()
            let usage = TokenUsage(
                database: Database(driver: driver, attempts: 1, pause: { _ in }),
                clock: SleepClock(),
                log: Logger(to: log, minimum: .debug, now: clock.effects.now)
            )
            let writes = { driver.writes.load(ordering: .relaxed) }

            usage.note(clock.effects.id(), at: clock.now)
            driver.isAway = true
            await usage.flush()
            driver.isAway = false
            await usage.flush()
            let written = writes()
            await usage.flush()

            #expect(log.entries.map(\.level) == [.warning])
            #expect(written == 1)
            #expect(writes() == 1)
        }
    }

    private func pipeline(_ database: Database) async throws -> Pipeline {
        let effects = ManualClock().effects
        let usage = TokenUsage(database: database, clock: SleepClock(), log: .silent)
        return Pipeline(
            routes: RouteTable([
                CurrentUserRoutes(users: CurrentUserService(database: database, effects: effects)),
                PersonalTokenRoutes(tokens: PersonalTokenService(database: database, effects: effects)),
            ]),
            authorizer: IdentityAuthorizer(
                database: database,
                effects: effects,
                usage: usage,
                leases: TestLeases.none
            ),
            effects: effects,
            log: .silent,
            metrics: MetricsRegistry()
        )
    }

    private func request(_ method: String, _ target: String) -> HTTPRequest {
        HTTPRequest(
            method: HTTPMethod(method),
            target: RawTarget(target),
            headers: ["Authorization": "token x"],
            body: RequestBody(bytes: Array("{}".utf8))
        )
    }
}

/// A driver that can go away and come back.
private final class FragileDriver: DatabaseDriver {
    private let base: any DatabaseDriver
    private let away = Atomic(false)
    let writes = Atomic(0)

    init(base: any DatabaseDriver) {
        self.base = base
    }

    var isAway: Bool {
        get { away.load(ordering: .acquiring) }
        set { away.store(newValue, ordering: .releasing) }
    }

    var dialect: Dialect { base.dialect }

    func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try check()
        return try await base.read(body)
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try check()
        writes.add(1, ordering: .relaxed)
        return try await base.write(body)
    }

    func migrate<T: Sendable>(_ body: @escaping @Sendable (any MigrationSession) throws -> T) async throws -> T {
        try check()
        return try await base.migrate(body)
    }

    func close() async {
        await base.close()
    }

    private func check() throws {
        if isAway { throw DatabaseError.unavailable("gone") }
    }
}
