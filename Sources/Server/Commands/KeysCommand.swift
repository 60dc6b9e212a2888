import Encryption
import Kernel
import Persistence
import Stacks
import Transfers

/// `cairn keys rotate|move`: wraps every data key with the master key in force, or with another one.
package struct KeysCommand: Command {
    package static let name = "keys"
    package static let summary = "Wraps all data keys with the current master key, or with another one"
    package static let details = """
        'rotate' wraps with the master key that the settings name what another one has wrapped; CAIRN_KEYS_ALSO names one \
        that still opens it. It may run beside servers with the same settings. 'move' wraps with the key in --to, of the \
        form that CAIRN_KEYS_ALSO takes; servers must name that key in CAIRN_KEYS_ALSO by then, or stand still. Values are \
        not touched. An interrupted run goes on where it stopped.
        """
    package static let arguments = [CommandArgument("action", oneOf: ["rotate", "move"])]
    package static let options = [
        CommandOption(
            "--to",
            value: "KEY",
            "for move: local:PATH, aws:KEY, azure:URI/keys/KEY, google:KEY or vault:KEY"
        ),
        CommandOption("--dry-run", "says what would be wrapped anew, and changes nothing"),
    ]

    private let target: String?
    private let isDry: Bool

    package init(_ parsed: ParsedArguments) throws(UsageError) {
        target = parsed.options["--to"]
        isDry = parsed.switches.contains("--dry-run")
        if parsed.words == ["move"], target == nil { throw UsageError("cairn keys move needs --to") }
        if parsed.words == ["rotate"], target != nil { throw UsageError("cairn keys rotate takes no --to") }
    }

    package func run(_ environment: ProcessEnvironment) async -> Int32 {
        do {
            let settings = environment.settings
            let configuration = try Configuration(settings: settings)
            let encryption = try target.map { try configuration.encryption.moved(to: $0) } ?? configuration.encryption
            guard let databases = try await Databases.look(at: configuration.database) else {
                throw ServiceError.unavailable("\(Databases.name(of: configuration.database)) does not exist")
            }
            let code: Int32
            do {
                try await MoveMark.refuse(databases.database, name: databases.name)
                let master = MasterKey(configuration, transfers: Transfers(), environment)
                code = try await KeyServicePatience.extended {
                    try await rewrap(encryption, master, databases, settings, environment)
                }
            } catch {
                await databases.database.close()
                throw error
            }
            await databases.database.close()
            return code
        } catch {
            return Self.refuse(error, environment)
        }
    }

    private func rewrap(
        _ encryption: EncryptionConfiguration,
        _ master: MasterKey,
        _ databases: Databases,
        _ settings: Settings,
        _ environment: ProcessEnvironment
    ) async throws -> Int32 {
        let keys = try await KeyRing.open(
            encryption,
            with: master,
            database: databases.database,
            effects: environment.effects,
            settings: settings
        )
        for warning in settings.warnings { environment.standardError("warning: \(warning)\n") }
        environment.standardOutput("Wrapping with \(encryption.place.summary).\n")
        let began = ContinuousClock.now
        var told = Duration.zero
        let rotation = DataKeyRotation(database: databases.database, keys: keys)
        let tally = try await rotation.run(isDry: isDry) { tally in
            let elapsed = began.duration(to: .now)
            guard elapsed - told >= .seconds(5) else { return }
            told = elapsed
            environment.standardOutput("  \(line(tally)) after \(elapsed.components.seconds) s …\n")
        }
        environment.standardOutput("\(line(tally)).\n")
        for id in tally.unusable {
            environment.standardError("cairn: the data key \(id) cannot be opened and stays as it is\n")
        }
        guard tally.unusable.isEmpty else { return ExitCode.unavailable }
        if !isDry {
            _ = try await KeyRing.rewrapCanary(keys, in: databases.database, effects: environment.effects)
        }
        return ExitCode.success
    }

    private func line(_ tally: DataKeyRotation.Tally) -> String {
        "\(tally.found) data keys: \(tally.rewrapped) \(isDry ? "to wrap anew" : "wrapped anew"), "
            + "\(tally.found - tally.rewrapped - tally.unusable.count) were wrapped so already"
    }
}
