import Kernel
import Persistence
import Schema
import Telemetry

/// `cairn migrate plan|up`: the schema, as a step of its own.
package struct MigrateCommand: Command {
    package static let name = "migrate"
    package static let summary = "Shows what the database's schema lacks, or brings it up to date"
    package static let details = """
        'plan' changes nothing. 'up' may run beside other processes: one of them does the work, the others wait. An \
        interrupted run goes on where it stopped.

        With MYSQL_ROOT_PASSWORD 'up' waits for the database server and makes the database and the service's account \
        first; docs/configuration.md has all of these variables.
        """
    package static let arguments = [CommandArgument("action", oneOf: ["plan", "up"])]

    private let applies: Bool

    package init(_ parsed: ParsedArguments) {
        applies = parsed.words == ["up"]
    }

    package func run(_ environment: ProcessEnvironment) async -> Int32 {
        do {
            let settings = environment.settings
            let server = try ServerConfiguration(settings: settings)
            let job = try MigrationJob(settings: settings, dataFolder: server.dataFolder)
            for warning in settings.warnings { environment.standardError("cairn: \(warning)\n") }
            if applies {
                try DataFolder.prepare(server.dataFolder)
                try await job.prepare(environment)
                try await up(job.database, environment)
            } else {
                try await plan(job.database, environment)
            }
            return ExitCode.success
        } catch {
            return Self.refuse(error, environment)
        }
    }

    private func plan(_ configuration: DatabaseConfiguration, _ environment: ProcessEnvironment) async throws {
        let runner = MigrationRunner(migrations: Schema.migrations)
        let name = Databases.name(of: configuration)
        let databases = try await Databases.look(at: configuration)
        let plan = try await closing(databases) {
            guard let databases else { return try runner.planForNewDatabase() }
            return try await runner.plan(databases.database)
        }
        guard !plan.isEmpty else {
            environment.standardOutput("\(name) is up to date (migration \(plan.current)).\n")
            return
        }
        environment.standardOutput("\(name) is at migration \(plan.current); to come:\n")
        for migration in plan.pending {
            environment.standardOutput("  \(migration.number)  \(migration.name) (\(migration.steps.count) steps)\n")
        }
    }

    private func up(_ configuration: DatabaseConfiguration, _ environment: ProcessEnvironment) async throws {
        let databases = try await Databases.open(configuration)
        let done = try await closing(databases) {
            // Where migrations are a step of their own, it comes before the first server.
            try await MoveMark.refuse(databases.database, name: databases.name, except: .ready)
            return try await apply(to: databases.database, environment)
        }
        environment.standardOutput(
            done.isEmpty
                ? "\(databases.name) is up to date.\n" : "\(databases.name): \(done.count) migrations applied.\n"
        )
    }

    private func apply(to database: Database, _ environment: ProcessEnvironment) async throws -> [Int] {
        try await MigrationRunner(migrations: Schema.migrations).up(database) { progress in
            switch progress {
            case .began(let number, let name): environment.standardOutput("\(number) \(name) …\n")
            case .step(let number, let step, let count, let wasDone):
                environment.standardOutput("\(number) step \(step) of \(count)\(wasDone ? " (was done)" : "")\n")
            case .finished: break
            }
        }
    }

    /// Runs `body` and closes the databases in any case.
    private func closing<Result>(_ databases: Databases?, _ body: () async throws -> Result) async throws -> Result {
        do {
            let result = try await body()
            await databases?.database.close()
            return result
        } catch {
            await databases?.database.close()
            throw error
        }
    }
}
