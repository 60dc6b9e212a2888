import AuditArchive
import Encryption
import HTTPServer
import Identity
import Jobs
import Kernel
import ObjectStorage
import OutboundHTTP
import Persistence
import Telemetry
import Transfers

/// `cairn serve`: the server itself.
package struct ServeCommand: Command {
    package static let name = "serve"
    package static let summary = "Serves until it is told to stop"
    package static let details = """
        Without any setting it listens on port 8080 and keeps everything in ./cairn-data. The first start makes an \
        organization and an administrator and shows the administrator's token once.
        SIGTERM finishes requests in progress; a second one hurries.
        """

    package init(_ parsed: ParsedArguments) {}

    package func run(_ environment: ProcessEnvironment) async -> Int32 {
        let configuration: Configuration
        let settings = environment.settings
        do {
            configuration = try Configuration(settings: settings)
            #if CAIRN_FAILPOINTS
                try configuration.failpoints.install()
            #endif
            try ListeningServer.check(configuration.listener)
        } catch {
            environment.standardError("cairn: the settings cannot be used:\n\(error)\n")
            return ExitCode.configuration
        }
        let writer = LogWriter(descriptor: 1, format: configuration.log.format, now: environment.effects.now)
        let log = Logger(to: writer, minimum: configuration.log.minimum, now: environment.effects.now)
        defer {
            _ = writer.flush(within: .seconds(2))
            writer.stop()
        }
        for warning in settings.warnings { log.warning("setting", ["text": .text(warning)]) }
        do {
            try await serve(configuration, settings, environment, log)
            log.notice("stopped")
            return ExitCode.success
        } catch let error as ConfigurationError {
            _ = writer.flush(within: .seconds(2))
            environment.standardError("cairn: the settings cannot be used:\n\(error)\n")
            return ExitCode.configuration
        } catch {
            _ = writer.flush(within: .seconds(2))
            environment.standardError("cairn: \(Self.line(error))\n")
            return Self.exitCode(error)
        }
    }

    /// A certificate that does not fit its key, or an address that is none, shows only when the server starts.
    private static func exitCode(_ error: any Error) -> Int32 {
        (error as? ServiceError)?.code == .invalidArgument ? ExitCode.configuration : ExitCode.unavailable
    }

    private func serve(
        _ configuration: Configuration,
        _ settings: Settings,
        _ environment: ProcessEnvironment,
        _ log: Logger
    ) async throws {
        let stop = StopSignal()
        let signals = SignalListener(stop: stop)
        defer { withExtendedLifetime(signals) {} }
        try DataFolder.prepare(configuration.server.dataFolder)
        let databases = try await Databases.open(configuration.database)
        do {
            try await serve(configuration, settings, databases, environment, log, until: stop)
        } catch {
            await databases.database.close()
            throw error
        }
        await databases.database.close()
    }

    private func serve(
        _ configuration: Configuration,
        _ settings: Settings,
        _ databases: Databases,
        _ environment: ProcessEnvironment,
        _ log: Logger,
        until stop: StopSignal
    ) async throws {
        let mayMigrate = try await MoveMark.admit(to: databases.database, name: databases.name)
        try await databases.prepare(migrating: configuration.database.migratesAtStart && mayMigrate, log: log)
        let foundation = try await foundation(configuration, settings, databases, environment, log)
        let installation = Installation(database: databases.database, effects: environment.effects)
        // The token cannot be shown again, so nothing that may fail comes between.
        announce(try await installation.run(configuration.installation), configuration.installation, environment)
        try await Application.schedule(foundation)
        try Failpoint.reach(.scheduleDone)
        let heartbeat = Heartbeat(
            database: databases.database,
            effects: environment.effects,
            clock: environment.clock,
            log: log
        )
        try await heartbeat.makeUpForAbsence()
        let application = Application(foundation, log: log, metrics: MetricsRegistry())
        let server = ListeningServer.make(configuration.listener, pipeline: application.pipeline)
        let ports = try server.start()
        log.notice(
            "cairn serves",
            [
                "version": .text(Version.current),
                "port": .integer(ports.first ?? 0),
                "tls": .flag(configuration.listener.tls != nil),
                "mode": .text(configuration.server.mode.rawValue),
                "database": .text(databases.name),
            ]
        )
        let group = ServiceGroup(
            services: [heartbeat] + services(application, server, databases, configuration, environment, log),
            grace: configuration.server.stopGrace,
            clock: environment.clock,
            log: log
        )
        try await group.run(until: stop)
        log.notice("stopping", ["reason": .text(stop.reason ?? "")])
    }

    /// Opens the key and the object store: nothing was written before the key is known to be the right one.
    private func foundation(
        _ configuration: Configuration,
        _ settings: Settings,
        _ databases: Databases,
        _ environment: ProcessEnvironment,
        _ log: Logger
    ) async throws -> Application.Foundation {
        let known = settings.warnings.count
        let transfers = Transfers()
        let keys = try await KeyRing.open(
            configuration.encryption,
            with: MasterKey(configuration, transfers: transfers, environment),
            database: databases.database,
            effects: environment.effects,
            settings: settings
        )
        for warning in settings.warnings[known...] { log.warning("setting", ["text": .text(warning)]) }
        log.notice("master key", ["place": .text(configuration.encryption.summary)])
        let access = ObjectStorageConfiguration.Access(configuration, transfers: transfers, environment)
        let objects = try await configuration.objects.open(access)
        for other in configuration.objects.others { try await configuration.objects.probe(other, access) }
        log.notice("objects", ["place": .text(configuration.objects.checkpoints.description)])
        if let events = configuration.objects.events {
            log.notice("objects of engine events", ["place": .text(events.place.description)])
        }
        let archive = try await AuditArchive.open(configuration, transfers: transfers, environment)
        if let archive { log.notice("audit archive", ["place": .text(archive.table.description)]) }
        return Application.Foundation(
            database: databases.database,
            objects: objects,
            keys: keys,
            effects: environment.effects,
            clock: environment.clock,
            compute: BlockingPool(name: "compute", threads: 2, heavyThreads: 2, queue: 256),
            outbound: OutboundClient(configuration.outbound, transfers: transfers),
            archive: archive
        )
    }

    private func services(
        _ application: Application,
        _ server: HTTPServer.Server,
        _ databases: Databases,
        _ configuration: Configuration,
        _ environment: ProcessEnvironment,
        _ log: Logger
    ) -> [any Service] {
        var services: [any Service] = [application.usage]
        if configuration.server.mode.runsJobs {
            services.append(
                JobRunner(
                    database: databases.database,
                    effects: environment.effects,
                    clock: environment.clock,
                    kinds: application.jobs,
                    log: log
                )
            )
        }
        services.append(server)
        services.append(DrainAnnouncer(readiness: application.readiness, clock: environment.clock))
        return services
    }

    /// Shows the administrator's token, which is stored as a hash only.
    private func announce(
        _ outcome: Installation.Outcome,
        _ configuration: InstallationConfiguration,
        _ environment: ProcessEnvironment
    ) {
        guard case .made(let token) = outcome else { return }
        let lines =
            if let token {
                """
                  Its access token, shown this once:

                      \(token.text.reveal())

                """
            } else {
                "  Its access token is the one in CAIRN_ADMIN_TOKEN.\n"
            }
        environment.standardOutput(
            """

            Cairn is installed: organization '\(configuration.organization)', administrator \
            '\(configuration.administrator)'.
            \(lines)

            """
        )
    }

    /// One line for the operator.
    private static func line(_ error: any Error) -> String {
        (error as? ServiceError)?.message ?? "\(error)"
    }
}
