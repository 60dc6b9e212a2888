import CloudAccess
import Kernel
import ObjectStorage
import OutboundHTTP
import Transfers

/// `cairn move objects --to PLACE`: copies everything that is large into another folder or bucket.
package struct MoveCommand: Command {
    package static let name = "move"
    package static let summary = "Copies objects into another folder or bucket, while servers run"
    package static let details = """
        Objects are read from where the settings say and copied to --to, a folder or a URL of the form that \
        PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT takes, reached with the same keys. Every copy is read back and compared. \
        An interrupted run goes on where it stopped. To change over: move while the server runs, stop it, move once \
        more, which takes only what is new, change the setting, and start.
        """
    package static let arguments = [CommandArgument("what", oneOf: ["objects"])]
    package static let options = [
        CommandOption("--to", value: "PLACE", "where to: a folder, s3://…, azblob://… or gs://…"),
        CommandOption("--dry-run", "says what would be copied, and copies nothing"),
        CommandOption("--check", "compares the content of everything that is there, and copies nothing"),
    ]

    private let place: String?
    private let way: ObjectMove.Way

    package init(_ parsed: ParsedArguments) throws(UsageError) {
        place = parsed.options["--to"]
        guard place != nil else { throw UsageError("cairn move objects needs --to") }
        switch (parsed.switches.contains("--dry-run"), parsed.switches.contains("--check")) {
        case (true, true): throw UsageError("--dry-run and --check do not go together")
        case (true, false): way = .look
        case (false, true): way = .check
        case (false, false): way = .copy
        }
    }

    package func run(_ environment: ProcessEnvironment) async -> Int32 {
        do {
            return try await move(environment)
        } catch {
            return Self.refuse(error, environment)
        }
    }

    private func move(_ environment: ProcessEnvironment) async throws -> Int32 {
        let configuration = try Configuration(settings: environment.settings)
        let access = ObjectStorageConfiguration.Access(configuration, transfers: Transfers(), environment)
        let target = try self.target(configuration, environment)
        guard target.checkpoints.description != configuration.objects.checkpoints.description else {
            throw ServiceError.invalid("--to", "is where the objects are already")
        }
        let began = ContinuousClock.now
        let move = ObjectMove(from: try await configuration.objects.open(access), to: try await target.open(access))
        var told = Duration.zero
        let tally = try await move.run(way) { tally in
            let elapsed = began.duration(to: .now)
            guard elapsed - told >= .seconds(5) else { return }
            told = elapsed
            environment.standardOutput("  \(line(tally)) after \(elapsed.components.seconds) s …\n")
        }
        environment.standardOutput("\(line(tally)) in \(began.duration(to: .now).components.seconds) s.\n")
        for key in tally.damaged { environment.standardError("cairn: \(key) is damaged where it is, and not copied\n") }
        for key in tally.different { environment.standardError("cairn: \(key) has another content at the target\n") }
        return tally.damaged.isEmpty && tally.different.isEmpty ? ExitCode.success : ExitCode.unavailable
    }

    /// The settings with another place for objects.
    private func target(
        _ configuration: Configuration,
        _ environment: ProcessEnvironment
    ) throws(ConfigurationError) -> ObjectStorageConfiguration {
        let place = place ?? ""
        var variables = environment.variables
        variables["PULUMI_LOCAL_OBJECTS"] = place.contains("://") ? nil : place
        variables["PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT"] = place.contains("://") ? place : nil
        variables["PULUMI_OBJECTS_BUCKET"] = nil
        return try ObjectStorageConfiguration(
            settings: Settings(variables),
            dataFolder: configuration.server.dataFolder,
            region: configuration.clouds.aws.region
        )
    }

    private func line(_ tally: ObjectMove.Tally) -> String {
        let missing = tally.found - tally.copied - tally.present - tally.damaged.count - tally.different.count
        let size = "\(tally.bytes / 1_000_000) MB"
        switch way {
        case .copy: return "\(tally.found) objects: \(tally.copied) copied (\(size)), \(tally.present) were there"
        case .look: return "\(tally.found) objects: \(missing) to copy (\(size)), \(tally.present) are there"
        case .check: return "\(tally.found) objects: \(tally.present) are the same, \(missing) are missing (\(size))"
        }
    }
}
