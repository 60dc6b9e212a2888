import Kernel
import TestKit
import Testing

@Suite("SQLite as a driver")
struct ConformanceTests {
    @Test("keeps the contract of drivers", arguments: DriverConformance.rules)
    func drivers(rule: DriverConformance.Rule) async throws {
        try await withTestStore(.sqlite, migrations: DriverConformance.migrations, rule.check)
    }

    @Test("keeps the contract of drivers where reads are made in place", arguments: DriverConformance.rules)
    func driversInPlace(rule: DriverConformance.Rule) async throws {
        try await withTaskExecutorPreference(Self.threads) {
            try await withTestStore(.sqlite, migrations: DriverConformance.migrations, rule.check)
        }
    }

    private static let threads = TaskThreads(name: "test", count: 3)

    @Test("keeps the contract of migrations", arguments: MigrationConformance.rules)
    func migrations(rule: DriverConformance.Rule) async throws {
        try await withTestStore(.sqlite, migrations: [], rule.check)
    }
}
