import TestKit
import Testing

@Suite("SQLite as a driver")
struct ConformanceTests {
    @Test("keeps the contract of drivers", arguments: DriverConformance.rules)
    func drivers(rule: DriverConformance.Rule) async throws {
        try await withTestStore(.sqlite, migrations: DriverConformance.migrations, rule.check)
    }

    @Test("keeps the contract of migrations", arguments: MigrationConformance.rules)
    func migrations(rule: DriverConformance.Rule) async throws {
        try await withTestStore(.sqlite, migrations: [], rule.check)
    }
}
