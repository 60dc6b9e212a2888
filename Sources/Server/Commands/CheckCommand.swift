import Kernel

/// `cairn check`: the settings in force, without starting anything.
package struct CheckCommand: Command {
    package static let name = "check"
    package static let summary = "Shows the settings in force, and what is wrong with them"
    package static let details = "Secrets are never shown. Ends with code 78 when the server would refuse to start."

    package init(_ parsed: ParsedArguments) {}

    package func run(_ environment: ProcessEnvironment) async -> Int32 {
        let settings = environment.settings
        let problems: ConfigurationError?
        do {
            try ListeningServer.check(try Configuration(settings: settings).listener)
            problems = nil
        } catch {
            problems = error
        }
        for setting in settings.effective where !AcceptedSettings.ignored.contains(setting.name) {
            environment.standardOutput("\(setting)\n")
        }
        for warning in settings.warnings { environment.standardOutput("warning: \(warning)\n") }
        guard let problems else { return ExitCode.success }
        environment.standardError("cairn: the settings cannot be used:\n\(problems)\n")
        return ExitCode.configuration
    }
}
