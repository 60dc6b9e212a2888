import Kernel
import Persistence
import Schema

/// What `cairn move database` does: from SQLite in the data folder to the server in the settings, or the other way.
struct DatabaseChange {
    private enum Way {
        case move
        case online
        case look
        case cancel
    }

    private enum Target: String {
        case sqlite
        case mysql
    }

    private let target: Target
    private let way: Way

    init(to name: String, _ option: String?) throws(UsageError) {
        guard let target = Target(rawValue: name) else {
            throw UsageError("cairn move database takes --to sqlite or --to mysql, not '\(name)'")
        }
        self.target = target
        switch option {
        case nil: way = .move
        case "--online": way = .online
        case "--dry-run": way = .look
        case "--cancel": way = .cancel
        case let option?: throw UsageError("cairn move database takes no \(option)")
        }
    }

    func run(_ environment: ProcessEnvironment) async throws -> Int32 {
        let configuration = try Configuration(settings: environment.settings)
        #if CAIRN_FAILPOINTS
            try configuration.failpoints.install()
        #endif
        guard case .mysql = configuration.database.engine else {
            let text = "is needed: it names one side of the move, the SQLite file in CAIRN_DATA is the other"
            throw ConfigurationError([.init(setting: "PULUMI_DATABASE_ENDPOINT", text: text)])
        }
        let sides = [configuration.database.inDataFolder, configuration.database]
        let (from, to) = target == .mysql ? (sides[0], sides[1]) : (sides[1], sides[0])
        environment.standardOutput("From \(Databases.place(of: from))\n  to \(Databases.place(of: to)).\n")
        switch way {
        case .move: try await move(from, to, in: configuration.server.dataFolder, environment)
        case .online: try await copyOnline(from, to, in: configuration.server.dataFolder, environment)
        case .look: try await look(from, to, environment)
        case .cancel: try await cancel(from, to, environment)
        }
        return ExitCode.success
    }

    // MARK: - The ways

    private func move(
        _ from: DatabaseConfiguration,
        _ to: DatabaseConfiguration,
        in folder: String,
        _ environment: ProcessEnvironment
    ) async throws {
        try await open(existing: from) { source in
            try await requireStillness(of: source, environment)
            if case .sqlite = to.engine { try DataFolder.prepare(folder) }
            try await open(to) { target in
                let move = try DatabaseMove(
                    from: source,
                    to: target,
                    migrations: Schema.migrations,
                    effects: environment.effects
                )
                try await run(move, environment)
                environment.standardOutput(
                    """
                    \(source.name) is not served any more. Start the server with the settings for \(target.name), \
                    and the same objects and keys, which stay where they are.

                    """
                )
            }
        }
    }

    private func run(_ move: DatabaseMove, _ environment: ProcessEnvironment) async throws {
        let account = MoveAccount(environment)
        try await move.run { account.take($0) }
        environment.standardOutput("\(account.total), copied and compared in \(account.seconds).\n")
    }

    /// Beside servers: of a SQLite file they have the folder's lock.
    private func copyOnline(
        _ from: DatabaseConfiguration,
        _ to: DatabaseConfiguration,
        in folder: String,
        _ environment: ProcessEnvironment
    ) async throws {
        try await look(at: from) { source in
            if case .sqlite = to.engine { try DataFolder.prepare(folder) }
            try await open(to) { target in
                let move = try DatabaseMove(
                    from: source,
                    to: target,
                    migrations: Schema.migrations,
                    effects: environment.effects
                )
                let account = MoveAccount(environment)
                let left = try await move.copyOnline { account.take($0) }
                environment.standardOutput(
                    """
                    \(account.total), copied and compared in \(account.seconds); \(left) changes came meanwhile and are \
                    left. What changes is traced until the move ends. To end it, stop all servers and repeat the command \
                    without --online, which takes what has changed; to give it up, repeat it with --cancel.

                    """
                )
            }
        }
    }

    private func look(
        _ from: DatabaseConfiguration,
        _ to: DatabaseConfiguration,
        _ environment: ProcessEnvironment
    ) async throws {
        try await look(at: from) { source in
            let target = try await Databases.look(at: to)?.database
            try await closing(target) {
                let move = try DatabaseMove(
                    from: source,
                    to: DatabaseMove.Place(
                        target ?? Database(driver: ClosedDatabase()),
                        name: Databases.place(of: to)
                    ),
                    migrations: Schema.migrations,
                    effects: environment.effects
                )
                try await survey(move, environment)
                try await move.look(atTarget: target != nil)
            }
        }
    }

    private func survey(_ move: DatabaseMove, _ environment: ProcessEnvironment) async throws {
        var all = TableSum()
        for (table, sum) in try await move.survey() {
            environment.standardOutput("  \(table): \(sum.rows) rows, \(MoveAccount.size(sum.bytes))\n")
            all.add(sum)
        }
        let (bytes, largest) = (MoveAccount.size(all.bytes), MoveAccount.size(all.largest))
        environment.standardOutput("\(all.rows) rows, \(bytes); the largest has \(largest).\n")
    }

    private func cancel(
        _ from: DatabaseConfiguration,
        _ to: DatabaseConfiguration,
        _ environment: ProcessEnvironment
    ) async throws {
        // What is only being copied, servers use.
        var isServed = false
        try await look(at: from) { source in
            isServed = try await MoveMark.read(source.database)?.state == .copying
            if isServed { try await cancel(source, to, environment) }
        }
        if !isServed { try await open(from) { source in try await cancel(source, to, environment) } }
    }

    private func cancel(
        _ source: DatabaseMove.Place,
        _ to: DatabaseConfiguration,
        _ environment: ProcessEnvironment
    ) async throws {
        let targets = Locked<Database?>(nil)
        let error: (any Error)?
        do {
            try await DatabaseMove.cancel(
                source,
                migrations: Schema.migrations,
                effects: environment.effects
            ) {
                let target = try await Databases.open(to)
                targets.withLock { $0 = target.database }
                return DatabaseMove.Place(target.database, name: Databases.place(of: to))
            }
            error = nil
        } catch let problem {
            error = problem
        }
        await targets.withLock { $0 }?.close()
        if let error { throw error }
        environment.standardOutput("\(source.name) can be served again. What the target holds can go.\n")
    }

    // MARK: - Databases

    private func open(
        existing configuration: DatabaseConfiguration,
        _ body: (DatabaseMove.Place) async throws -> Void
    ) async throws {
        if case .sqlite = configuration.engine { try await look(at: configuration) { _ in } }
        try await open(configuration, body)
    }

    /// Without the folder's lock, beside a server that may use it.
    ///
    /// - Throws: `.unavailable` where there is no database.
    private func look(
        at configuration: DatabaseConfiguration,
        _ body: (DatabaseMove.Place) async throws -> Void
    ) async throws {
        let name = Databases.place(of: configuration)
        guard let found = try await Databases.look(at: configuration) else {
            throw ServiceError.unavailable("\(name) does not exist")
        }
        try await closing(found.database) { try await body(DatabaseMove.Place(found.database, name: name)) }
    }

    /// With the folder's lock, so that nobody else has it.
    private func open(
        _ configuration: DatabaseConfiguration,
        _ body: (DatabaseMove.Place) async throws -> Void
    ) async throws {
        let database = try await Databases.open(configuration).database
        try await closing(database) {
            try await body(DatabaseMove.Place(database, name: Databases.place(of: configuration)))
        }
    }

    private func closing(_ database: Database?, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch {
            await database?.close()
            throw error
        }
        await database?.close()
    }

    /// Refuses a source that a server still uses; the folder's lock has told that of SQLite.
    private func requireStillness(of source: DatabaseMove.Place, _ environment: ProcessEnvironment) async throws {
        guard source.database.dialect == .mysql else { return }
        environment.standardOutput("Looking whether a server runs …\n")
        let (effects, clock) = (environment.effects, environment.clock)
        guard try await !Heartbeat.isBeating(in: source.database, effects: effects, clock: clock) else {
            throw ServiceError(.failedPrecondition, "a server runs on \(source.name): stop all of them first")
        }
    }
}
