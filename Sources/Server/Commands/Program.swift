import Kernel

/// The command line of `cairn`.
package enum Program {
    /// Every command, in the order of the help text.
    package static let commands: [any Command.Type] = [
        ServeCommand.self, MigrateCommand.self, MoveCommand.self, KeysCommand.self, TokenCommand.self,
        CheckCommand.self,
        RoutesCommand.self,
        VersionCommand.self,
    ]

    /// Runs what the arguments ask for; `serve` when they name nothing.
    ///
    /// - Parameter arguments: without the program's own name.
    /// - Returns: the exit code of the process.
    package static func run(_ arguments: [String], in environment: ProcessEnvironment) async -> Int32 {
        do {
            return try await dispatch(arguments[...], in: environment)
        } catch {
            environment.standardError("cairn: \(error.message)\nTry 'cairn --help'.\n")
            return ExitCode.usage
        }
    }

    private static func dispatch(
        _ arguments: ArraySlice<String>,
        in environment: ProcessEnvironment
    ) async throws(UsageError) -> Int32 {
        guard let first = arguments.first else { return try await run(ServeCommand.self, [], in: environment) }
        switch first {
        case "--help", "-h", "help":
            environment.standardOutput(HelpText.program(commands))
            return ExitCode.success
        case "--version":
            return try await run(VersionCommand.self, [], in: environment)
        default:
            break
        }
        if first.hasPrefix("-") { return try await run(ServeCommand.self, arguments, in: environment) }
        guard let command = commands.first(where: { $0.name == first }) else {
            let hint = Spelling.nearest(to: first, among: commands.map { $0.name })
            throw UsageError("there is no command '\(first)'\(hint.map { "; did you mean '\($0)'?" } ?? "")")
        }
        return try await run(command, arguments.dropFirst(), in: environment)
    }

    private static func run<C: Command>(
        _ command: C.Type,
        _ arguments: ArraySlice<String>,
        in environment: ProcessEnvironment
    ) async throws(UsageError) -> Int32 {
        if arguments.contains("--help") || arguments.contains("-h") {
            environment.standardOutput(HelpText.command(command))
            return ExitCode.success
        }
        return await (try C(ParsedArguments(arguments, for: command))).run(environment)
    }
}
