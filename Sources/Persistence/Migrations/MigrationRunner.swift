import Kernel

/// Brings a database to the schema of this program.
///
/// Nothing is ever half applied. SQLite runs each migration in one transaction. MySQL commits every change of the
/// schema by itself, so each step is recorded after it, and a run that was interrupted goes on where it stopped. All of
/// it happens under the engine's lock, so any number of programs may start at once.
package struct MigrationRunner: Sendable {
    private let migrations: [Migration]

    package init(migrations: [Migration]) {
        self.migrations = migrations
    }

    /// What `up` would do; changes nothing.
    ///
    /// - Throws: `MigrationError` for a database this program must not touch; what `Database.read` throws.
    package func plan(_ database: Database) async throws -> MigrationPlan {
        try requireValid()
        let migrations = migrations
        return try await database.read { tx in
            try MigrationPlan(migrations, entries: try MigrationLedger.entries(in: tx))
        }
    }

    /// What `up` would do to a database that is still to be made.
    package func planForNewDatabase() throws -> MigrationPlan {
        try requireValid()
        return try MigrationPlan(migrations, entries: [])
    }

    /// Refuses a database that is not exactly at this program's schema.
    ///
    /// - Throws: `MigrationError.behind` and what `plan` throws.
    package func check(_ database: Database) async throws {
        let plan = try await plan(database)
        guard plan.isEmpty else {
            throw MigrationError.behind(database: plan.current, program: migrations.count)
        }
    }

    /// Applies what is missing.
    ///
    /// - Parameter report: is called from the database's thread as the work goes on.
    /// - Returns: the numbers of the migrations that were completed.
    /// - Throws: `MigrationError` for a database this program must not touch; what `Database.migrate` throws, with
    ///   the migrations before the failure applied.
    @discardableResult
    package func up(
        _ database: Database,
        report: @escaping @Sendable (MigrationProgress) -> Void = { _ in }
    ) async throws -> [Int] {
        try requireValid()
        let migrations = migrations
        return try await database.migrate { session in
            try MigrationRun(session: session, migrations: migrations, report: report).run()
        }
    }

    private func requireValid() throws {
        let problems = Migration.problems(in: migrations)
        guard problems.isEmpty else { throw MigrationError.invalid(problems) }
    }
}

/// What happens while migrations run.
package enum MigrationProgress: Sendable, Equatable {
    case began(number: Int, name: String)
    /// A step is done; steps are counted from 1. `wasDone` tells that an earlier run got so far.
    case step(number: Int, step: Int, of: Int, wasDone: Bool)
    case finished(number: Int, name: String)
}

/// What is missing in a database.
package struct MigrationPlan: Sendable {
    /// The newest migration that is complete; 0 for an empty database.
    package let current: Int
    package let pending: [Migration]
    /// How many steps of the first pending migration are done already.
    package let stepsDone: Int

    package var isEmpty: Bool { pending.isEmpty }

    /// Compares what is recorded with what the program holds.
    init(_ migrations: [Migration], entries: [MigrationLedger.Entry]) throws(MigrationError) {
        for (index, entry) in entries.enumerated() {
            guard index < migrations.count else {
                let newest = entries.last?.number ?? entry.number
                throw MigrationError.ahead(database: newest, program: migrations.count)
            }
            let migration = migrations[index]
            let isSame =
                entry.number == migration.number && entry.steps <= migration.steps.count
                && entry.checksum == migration.checksum(ofSteps: entry.steps)
                && (!entry.isComplete || entry.steps == migration.steps.count)
                && (entry.isComplete || index == entries.count - 1)
            guard isSame else { throw MigrationError.changed(number: entry.number, name: entry.name) }
        }
        let complete = entries.last?.isComplete == false ? entries.count - 1 : entries.count
        current = complete
        pending = Array(migrations.dropFirst(complete))
        stepsDone = complete < entries.count ? entries[complete].steps : 0
    }
}

/// One run under the engine's lock.
private struct MigrationRun {
    let session: any MigrationSession
    let migrations: [Migration]
    let report: @Sendable (MigrationProgress) -> Void

    func run() throws -> [Int] {
        let (plan, hasLedger) = try session.transaction { tx in
            let hasLedger = try SchemaCatalog.hasTable(MigrationLedger.table.name, in: tx)
            return (try MigrationPlan(migrations, entries: try MigrationLedger.entries(in: tx)), hasLedger)
        }
        if !hasLedger {
            try Failpoint.reach(.migrationLedgerMake)
            for statement in SchemaRendering.createTable(MigrationLedger.table, dialect: session.dialect) {
                try session.execute(statement)
            }
            try Failpoint.reach(.migrationLedgerMade)
        }
        for (index, migration) in plan.pending.enumerated() {
            report(.began(number: migration.number, name: migration.name))
            try Failpoint.reach(.migrationBegin)
            switch session.dialect {
            case .sqlite: try applyAtOnce(migration)
            case .mysql: try applyInSteps(migration, done: index == 0 ? plan.stepsDone : 0)
            }
            try Failpoint.reach(.migrationEnd)
            report(.finished(number: migration.number, name: migration.name))
        }
        return plan.pending.map(\.number)
    }

    private func applyAtOnce(_ migration: Migration) throws {
        try session.transaction { tx in
            for step in migration.steps {
                try apply(SchemaRendering.statements(step, dialect: .sqlite)) { try tx.execute($0) }
            }
            try MigrationLedger.record(migration, steps: migration.steps.count, in: tx)
        }
        for index in migration.steps.indices {
            report(progress(migration, step: index, wasDone: false))
        }
    }

    private func applyInSteps(_ migration: Migration, done: Int) throws {
        if migration.steps.isEmpty {
            try session.transaction { tx in try MigrationLedger.record(migration, steps: 0, in: tx) }
        }
        for (index, step) in migration.steps.enumerated().dropFirst(done) {
            let statements = SchemaRendering.statements(step, dialect: .mysql)
            var wasDone = false
            if case .data = step {
                try session.transaction { tx in
                    try apply(statements) { try tx.execute($0) }
                    try MigrationLedger.record(migration, steps: index + 1, in: tx)
                }
            } else {
                wasDone = try session.transaction { tx in try SchemaCatalog.isDone(step, in: tx) }
                if !wasDone {
                    try apply(statements) { try session.execute($0) }
                }
                try session.transaction { tx in try MigrationLedger.record(migration, steps: index + 1, in: tx) }
            }
            report(progress(migration, step: index, wasDone: wasDone))
        }
    }

    private func apply(_ statements: [SQL], _ execute: (SQL) throws -> Void) throws {
        try Failpoint.reach(.migrationStep)
        for statement in statements { try execute(statement) }
        try Failpoint.reach(.migrationStepDone)
    }

    private func progress(_ migration: Migration, step index: Int, wasDone: Bool) -> MigrationProgress {
        .step(number: migration.number, step: index + 1, of: migration.steps.count, wasDone: wasDone)
    }
}
