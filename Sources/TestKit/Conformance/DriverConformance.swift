package import Persistence
import Testing

/// What every driver must do, as one function per rule.
///
/// A driver's tests run all of `rules`, each on a store made with `migrations`:
///
///     @Test("keeps the contract of drivers", arguments: DriverConformance.rules)
///     func conforms(rule: DriverConformance.Rule) async throws {
///         try await withTestStore(.sqlite, migrations: DriverConformance.migrations, rule.check)
///     }
package enum DriverConformance {
    /// One sentence about drivers, and the proof.
    package struct Rule: Sendable, CustomTestStringConvertible {
        package let name: String
        package let check: @Sendable (TestStore) async throws -> Void

        package var testDescription: String { name }

        init(_ name: String, _ check: @escaping @Sendable (TestStore) async throws -> Void) {
            self.name = name
            self.check = check
        }
    }

    package static let rules =
        valueRules + statementRules + keyRules + transactionRules + concurrencyRules + lifeRules

    package static let migrations = [
        Migration(
            1,
            "conformance",
            [
                .createTable(
                    Table(
                        "samples",
                        columns: [
                            Column("id", .id), Column("name", .name(100), nullable: true),
                            Column("code", .ascii(20), nullable: true), Column("body", .text, nullable: true),
                            Column("raw", .bytes, nullable: true), Column("digest", .binary(32), nullable: true),
                            Column("is_on", .bool, default: .integer(0)), Column("number", .integer, nullable: true),
                            Column("made_at", .timestamp, nullable: true),
                        ],
                        primaryKey: ["id"],
                        uniqueKeys: [["name"], ["code", "number"]]
                    )
                ),
                .createTable(
                    Table(
                        "counters",
                        columns: [Column("id", .integer), Column("value", .integer)],
                        primaryKey: ["id"]
                    )
                ),
                .createTable(
                    Table(
                        "parts",
                        columns: [Column("id", .integer), Column("counter_id", .integer)],
                        primaryKey: ["id"],
                        indexes: [["counter_id"]],
                        foreignKeys: [ForeignKey(["counter_id"], references: "counters", ["id"])]
                    )
                ),
            ]
        )
    ]

    /// An error of the test itself, to see what becomes of it.
    struct Planned: Error, Equatable {
        var number = 0
    }
}

/// The row of `samples`; only its identity matters.
enum Sample {}

extension DriverConformance {
    /// What a closure of the database layer throws, in its own words.
    static func databaseError(_ body: () async throws -> Void) async -> DatabaseError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? DatabaseError
        }
    }

    static func insertCounters(_ ids: some Sequence<Int> & Sendable, _ store: TestStore) async throws {
        let ids = Array(ids)
        try await store.driver.write { tx in
            for id in ids { try tx.insert(into: "counters", ["id": id, "value": 0]) }
        }
    }

    static func value(of id: Int, in tx: Transaction) throws -> Int? {
        try tx.first("SELECT value FROM counters WHERE id = \(id)") { try $0.int(0) }
    }

    /// Adds one as a store must: lock, read, write.
    static func increment(_ id: Int, in tx: Transaction) throws {
        try tx.lock("counters", where: "id = \(id)")
        let value = try value(of: id, in: tx) ?? 0
        try tx.execute("UPDATE counters SET value = \(value + 1) WHERE id = \(id)")
    }
}
