import Encryption
import Kernel
import Transfers

/// `cairn check`: the settings in force, without starting anything, and whether the service that holds the key answers.
package struct CheckCommand: Command {
    package static let name = "check"
    package static let summary = "Shows the settings in force, and what is wrong with them"
    package static let details = """
        Secrets are never shown. A service that holds the master key is asked to make and to open a data key. Ends with \
        code 78 when the server would refuse to start, and with 69 when that service cannot be used.
        """

    package init(_ parsed: ParsedArguments) {}

    package func run(_ environment: ProcessEnvironment) async -> Int32 {
        let settings = environment.settings
        let configuration: Result<Configuration, ConfigurationError>
        do {
            let read = try Configuration(settings: settings)
            try ListeningServer.check(read.listener)
            configuration = .success(read)
        } catch {
            configuration = .failure(error)
        }
        for setting in settings.effective where !AcceptedSettings.ignored.contains(setting.name) {
            environment.standardOutput("\(setting)\n")
        }
        for warning in settings.warnings { environment.standardOutput("warning: \(warning)\n") }
        switch configuration {
        case .success(let configuration): return await connect(configuration, settings, environment)
        case .failure(let problems): return refuse(problems, environment)
        }
    }

    private func connect(
        _ configuration: Configuration,
        _ settings: Settings,
        _ environment: ProcessEnvironment
    ) async -> Int32 {
        let encryption = configuration.encryption
        guard encryption.isRemote else { return ExitCode.success }
        let master = MasterKey(configuration, transfers: Transfers(), environment)
        do {
            let provider = try await master.open(encryption, mayMakeKey: false, settings: settings)
            environment.standardOutput(
                "\(encryption.summary): data keys can be made and opened (version \(provider.currentVersion))\n"
            )
            return ExitCode.success
        } catch let problems as ConfigurationError {
            return refuse(problems, environment)
        } catch {
            let error = error as? ServiceError
            environment.standardError("cairn: \(error?.message ?? "the master key cannot be used")\n")
            return error?.code == .invalidArgument ? ExitCode.configuration : ExitCode.unavailable
        }
    }

    private func refuse(_ problems: ConfigurationError, _ environment: ProcessEnvironment) -> Int32 {
        environment.standardError("cairn: the settings cannot be used:\n\(problems)\n")
        return ExitCode.configuration
    }
}
