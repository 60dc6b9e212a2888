import Kernel
import Persistence
import PersistenceSQLite
import Schema
import Server
import Telemetry
import TestKit
import Testing

@Suite("cairn move database")
struct MoveCommandTests {
    /// Nobody listens there.
    private static let nowhere = "127.0.0.1:1"

    @Test("needs the settings of both sides", arguments: ["sqlite", "mysql"])
    func needsBoth(engine: String) async throws {
        try await TestFolder.with { folder in
            let console = Console()

            let code = await console.run(["move", "database", "--to", engine], variables: ["CAIRN_DATA": folder])

            #expect(code == 78)
            #expect(console.error.contains("PULUMI_DATABASE_ENDPOINT: is needed"))
        }
    }

    @Test(
        "says which is the source and which the target, and that there is no source",
        arguments: ["", "--dry-run", "--cancel"]
    )
    func needsSource(option: String) async throws {
        try await TestFolder.with { folder in
            let console = Console()

            let code = await console.run(
                ["move", "database", "--to", "mysql", option].filter { !$0.isEmpty },
                variables: ["CAIRN_DATA": folder, "PULUMI_DATABASE_ENDPOINT": Self.nowhere]
            )

            #expect(code == 69)
            let sides = "From SQLite \(folder)/cairn.db\n  to MySQL \(Self.nowhere), database pulumi.\n"
            #expect(console.output == sides)
            #expect(console.error == "cairn: SQLite \(folder)/cairn.db does not exist\n")
        }
    }

    @Test("is refused while a server has the folder", arguments: ["", "--cancel"])
    func needsStillness(option: String) async throws {
        try await TestFolder.with { folder in
            let server = try await SQLiteDriver.open(SQLiteConfiguration(path: "\(folder)/cairn.db"))
            try await MigrationRunner(migrations: Schema.migrations).up(Database(driver: server))
            let console = Console()

            let code = await console.run(
                ["move", "database", "--to", "mysql", option].filter { !$0.isEmpty },
                variables: ["CAIRN_DATA": folder, "PULUMI_DATABASE_ENDPOINT": Self.nowhere]
            )
            await server.close()

            #expect(code == 69)
            #expect(console.error.contains("\(folder) is in use by another server"))
        }
    }

    @Test("takes back nothing that was not begun, without asking the other side")
    func cancelsNothing() async throws {
        try await TestFolder.with { folder in
            let variables = ["CAIRN_DATA": folder, "PULUMI_DATABASE_ENDPOINT": Self.nowhere]
            let (up, cancel) = (Console(), Console())
            #expect(await up.run(["migrate", "up"], variables: ["CAIRN_DATA": folder]) == 0)

            let code = await cancel.run(["move", "database", "--to", "mysql", "--cancel"], variables: variables)

            #expect(code == 69)
            #expect(cancel.error == "cairn: SQLite \(folder)/cairn.db is not being moved\n")
        }
    }
}

@Suite("Whether a server runs on a database")
struct HeartbeatLookTests {
    @Test("is told at once where there was none, or none for a minute", arguments: Engine.available)
    func tellsAtOnce(engine: Engine) async throws {
        try await withTestDatabase(engine) { database in
            let clock = ManualClock()

            let before = try await beats(database, clock)
            try await Heartbeat.make(database, clock).makeUpForAbsence()
            clock.advance(by: .seconds(60))
            let after = try await beats(database, clock)

            #expect(!before && !after)
        }
    }

    @Test("is told by the next heartbeat", arguments: [true, false])
    func watches(isRunning: Bool) async throws {
        try await withTestDatabase(.sqlite) { database in
            let (clock, sleep) = (ManualClock(), SleepClock())
            let heartbeat = Heartbeat.make(database, clock)
            try await heartbeat.makeUpForAbsence()

            async let answer = Heartbeat.isBeating(in: database, effects: clock.effects, clock: sleep)
            for second in 1...11 {
                try await eventually("it sleeps") { sleep.sleeping == 1 }
                if isRunning, second == 5 {
                    clock.advance(by: .seconds(5))
                    try await heartbeat.makeUpForAbsence()
                    sleep.advance(by: .seconds(1))
                    break
                }
                sleep.advance(by: .seconds(1))
            }

            #expect(try await answer == isRunning)
        }
    }

    private func beats(_ database: Database, _ clock: ManualClock) async throws -> Bool {
        try await Heartbeat.isBeating(in: database, effects: clock.effects, clock: SleepClock())
    }
}

extension Heartbeat {
    fileprivate static func make(_ database: Database, _ clock: ManualClock) -> Heartbeat {
        Heartbeat(
            database: database,
            effects: clock.effects,
            clock: SleepClock(),
            log: Logger(to: LogRecorder(), minimum: .error, now: clock.effects.now)
        )
    }
}
