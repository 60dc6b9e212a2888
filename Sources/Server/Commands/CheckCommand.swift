import AuditArchive
import Encryption
import Kernel
import ObjectStorage
import Persistence
import Schema
import Transfers

/// `cairn check`: the settings in force, without starting anything, and whether the services that they name answer.
package struct CheckCommand: Command {
    package static let name = "check"
    package static let summary = "Shows the settings in force, and what is wrong with them"
    package static let details = """
        Secrets are never shown. A service that holds the master key is asked to make and to open a data key, a bucket \
        to list, take, give and delete an object, a table for the audit log what its keys are, a database server what \
        its schema lacks. Ends with code 78 when the server would refuse to start, and with 69 when one of them cannot \
        be used.
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
        case .failure(let problems): return Self.refuse(problems, environment)
        }
    }

    /// Asks the services that the settings name, all of them whatever one says; changes nothing that stays.
    private func connect(
        _ configuration: Configuration,
        _ settings: Settings,
        _ environment: ProcessEnvironment
    ) async -> Int32 {
        let transfers = Transfers()
        let encryption = configuration.encryption
        var codes: [Int32] = []
        if encryption.isRemote {
            let master = MasterKey(configuration, transfers: transfers, environment)
            codes.append(
                await attempt(environment) {
                    let provider = try await master.open(encryption, mayMakeKey: false, settings: settings)
                    return
                        "\(encryption.summary): data keys can be made and opened (version \(provider.currentVersion))"
                }
            )
        }
        let access = ObjectStorageConfiguration.Access(configuration, transfers: transfers, environment)
        if configuration.objects.checkpoints.isRemote {
            codes.append(
                await attempt(environment) {
                    _ = try await configuration.objects.openCheckpoints(access)
                    return "\(configuration.objects.checkpoints): objects can be listed, written, read and deleted"
                }
            )
        }
        for other in configuration.objects.others + [configuration.objects.events].compactMap(\.self) {
            codes.append(
                await attempt(environment) {
                    try await configuration.objects.probe(other, access)
                    return "\(other.place): objects can be listed, written, read and deleted"
                }
            )
        }
        if configuration.audit.table != nil {
            codes.append(
                await attempt(environment) {
                    let archive = try await AuditArchive.open(configuration, transfers: transfers, environment)
                    return "\(archive?.table.description ?? ""): its keys and its index are as they must be"
                }
            )
        }
        let name = Databases.name(of: configuration.database)
        codes.append(
            await attempt(environment) {
                guard let databases = try await Databases.look(at: configuration.database) else {
                    return "\(name): the first start makes it"
                }
                let lacks = try await lacks(databases)
                await databases.database.close()
                return "\(name): it answers\(lacks)"
            }
        )
        return codes.max() ?? ExitCode.success
    }

    private func lacks(_ databases: Databases) async throws -> String {
        if let mark = try await MoveMark.read(databases.database) {
            return ", but \(mark.explanation(of: databases.name))"
        }
        let plan = try await MigrationRunner(migrations: Schema.migrations).plan(databases.database)
        return plan.isEmpty
            ? ", and its schema is up to date" : ", and its schema lacks \(plan.pending.count) migrations"
    }

    /// Says what an attempt found; the code with which the process should end.
    private func attempt(_ environment: ProcessEnvironment, _ body: () async throws -> String) async -> Int32 {
        do {
            environment.standardOutput("\(try await body())\n")
            return ExitCode.success
        } catch let problems as ConfigurationError {
            return Self.refuse(problems, environment)
        } catch {
            let known = error as? ServiceError
            environment.standardError("cairn: \(known?.message ?? "\(error)")\n")
            return known?.code == .invalidArgument ? ExitCode.configuration : ExitCode.unavailable
        }
    }
}
