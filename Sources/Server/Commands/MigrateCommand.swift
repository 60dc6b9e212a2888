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
            let configuration = try DatabaseConfiguration(settings: settings, dataFolder: server.dataFolder)
            try DataFolder.prepare(server.dataFolder)
            let databases = try await Databases.open(configuration)
            let runner = MigrationRunner(migrations: Schema.migrations)
            do {
                try await applies
                    ? up(runner, databases, environment) : plan(runner, databases, environment)
            } catch {
                await databases.database.close()
                throw error
            }
            await databases.database.close()
            return ExitCode.success
        } catch let error as ConfigurationError {
            environment.standardError("cairn: the settings cannot be used:\n\(error)\n")
            return ExitCode.configuration
        } catch {
            environment.standardError("cairn: \((error as? ServiceError)?.message ?? "\(error)")\n")
            return ExitCode.unavailable
        }
    }

    private func plan(
        _ runner: MigrationRunner,
        _ databases: Databases,
        _ environment: ProcessEnvironment
    ) async throws {
        let plan = try await runner.plan(databases.database)
        guard !plan.isEmpty else {
            environment.standardOutput("\(databases.name) is up to date (migration \(plan.current)).\n")
            return
        }
        environment.standardOutput("\(databases.name) is at migration \(plan.current); to come:\n")
        for migration in plan.pending {
            environment.standardOutput("  \(migration.number)  \(migration.name) (\(migration.steps.count) steps)\n")
        }
    }

    private func up(
        _ runner: MigrationRunner,
        _ databases: Databases,
        _ environment: ProcessEnvironment
    ) async throws {
        let done = try await runner.up(databases.database) { progress in
            switch progress {
            case .began(let number, let name): environment.standardOutput("\(number) \(name) …\n")
            case .step(let number, let step, let count, let wasDone):
                environment.standardOutput("\(number) step \(step) of \(count)\(wasDone ? " (was done)" : "")\n")
            case .finished: break
            }
        }
        environment.standardOutput(
            done.isEmpty
                ? "\(databases.name) is up to date.\n" : "\(databases.name): \(done.count) migrations applied.\n"
        )
    }
}
