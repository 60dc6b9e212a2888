import CloudAccess
import Kernel
import ObjectStorage
import OutboundHTTP
import Transfers

/// `cairn move objects --to PLACE` and `cairn move database --to ENGINE`.
package struct MoveCommand: Command {
    package static let name = "move"
    package static let summary = "Copies objects into another folder or bucket, or all rows into another database"
    package static let details = """
        Every copy is read back and compared. An interrupted run goes on where it stopped.

        'objects' are read from where the settings say and copied to --to, a folder or a URL of the form that \
        PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT takes, reached with the same keys. To change over: move while the server \
        runs, stop it, move once more, which takes only what is new, change the setting, and start.

        'database' copies between the SQLite file in CAIRN_DATA and the server in PULUMI_DATABASE_ENDPOINT, into the one \
        that --to names, which must be empty. With --online that is done while servers run; what they change is traced \
        and taken over. Without it no server may run, and the move is brought to its end: none starts on the source any \
        more, unless the move is taken back with --cancel before one was started on the target. Objects and keys stay \
        where they are.
        """
    package static let arguments = [CommandArgument("what", oneOf: ["objects", "database"])]
    package static let options = [
        CommandOption("--to", value: "PLACE", "a folder, s3://…, azblob://… or gs://…; for a database sqlite or mysql"),
        CommandOption("--dry-run", "says what would be copied, and copies nothing"),
        CommandOption("--check", "compares the content of all objects that are there, and copies nothing"),
        CommandOption("--online", "for a database: copies while servers run, for a short end of the move later"),
        CommandOption("--cancel", "for a database: gives the source back"),
    ]

    private enum Work {
        case objects(ObjectsMove)
        case database(DatabaseChange)
    }

    private let work: Work

    package init(_ parsed: ParsedArguments) throws(UsageError) {
        let what = parsed.words.first ?? ""
        guard let place = parsed.options["--to"] else { throw UsageError("cairn move \(what) needs --to") }
        guard parsed.switches.count < 2 else {
            throw UsageError("\(parsed.switches.sorted().joined(separator: " and ")) do not go together")
        }
        work =
            what == "objects"
            ? .objects(try ObjectsMove(to: place, parsed.switches.first))
            : .database(try DatabaseChange(to: place, parsed.switches.first))
    }

    package func run(_ environment: ProcessEnvironment) async -> Int32 {
        do {
            switch work {
            case .objects(let work): return try await work.move(environment)
            case .database(let work): return try await work.run(environment)
            }
        } catch {
            return Self.refuse(error, environment)
        }
    }
}

/// What `cairn move objects` does.
private struct ObjectsMove {
    private let place: String
    private let way: ObjectMove.Way

    init(to place: String, _ option: String?) throws(UsageError) {
        self.place = place
        switch option {
        case nil: way = .copy
        case "--dry-run": way = .look
        case "--check": way = .check
        case let option?: throw UsageError("cairn move objects takes no \(option)")
        }
    }

    func move(_ environment: ProcessEnvironment) async throws -> Int32 {
        let configuration = try Configuration(settings: environment.settings)
        let access = ObjectStorageConfiguration.Access(configuration, transfers: Transfers(), environment)
        let target = try self.target(configuration, environment)
        guard target.checkpoints.description != configuration.objects.checkpoints.description else {
            throw ServiceError.invalid("--to", "is where the objects are already")
        }
        let began = ContinuousClock.now
        let move = ObjectMove(
            from: try await configuration.objects.openCheckpoints(access),
            to: try await target.openCheckpoints(access)
        )
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
