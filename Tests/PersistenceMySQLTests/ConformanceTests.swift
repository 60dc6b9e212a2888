import TestKit
import Testing

@Suite("MySQL as a driver")
struct ConformanceTests {
    private static let engines: [Engine] = [.mariadb, .mysql]

    @Test("keeps the contract of drivers", arguments: engines, DriverConformance.rules)
    func drivers(engine: Engine, rule: DriverConformance.Rule) async throws {
        try await withTestStore(engine, migrations: DriverConformance.migrations, rule.check)
    }

    @Test("keeps the contract of migrations", arguments: engines, MigrationConformance.rules)
    func migrations(engine: Engine, rule: DriverConformance.Rule) async throws {
        try await withTestStore(engine, migrations: [], rule.check)
    }
}
