package import Kernel
package import Persistence
import Stacks
package import Telemetry

/// Notes every few seconds that the service is there, so that its own absence is not charged to those who hold a lease.
///
/// A client renews its lease well before the end; while nothing answers, it cannot. After an outage all deadlines move by
/// the time nobody was there (`design/reliability-security.md` D5).
package struct Heartbeat: Service {
    package let name = "heartbeat"

    private static let row = "heartbeat"
    package static let interval = Duration.seconds(5)

    private let database: Database
    private let effects: Effects
    private let clock: any Clock<Duration>
    private let log: Logger

    package init(database: Database, effects: Effects, clock: any Clock<Duration>, log: Logger) {
        self.database = database
        self.effects = effects
        self.clock = clock
        self.log = log
    }

    /// Moves the deadlines of running updates by the time since the last heartbeat, in one transaction with a new one.
    ///
    /// - Returns: the time nobody was there; zero when it was short, or this is the first start.
    @discardableResult
    package func makeUpForAbsence() async throws -> Duration {
        let now = effects.now()
        let absence = try await database.write { tx in
            try tx.lock("server_values", where: "name = \(Self.row)")
            let last = try tx.first("SELECT updated_at FROM server_values WHERE name = \(Self.row)") {
                try $0.timestamp(0)
            }
            let absence = last.map { now.since($0) } ?? .zero
            if absence > Self.interval * 2 { try UpdateStore().extendAllLeases(by: absence, in: tx) }
            try Failpoint.reach(.heartbeatExtended)
            try Self.beat(at: now, in: tx)
            return absence > Self.interval * 2 ? absence : .zero
        }
        if absence > .zero { log.notice("leases extended by the time of absence", ["time": .milliseconds(absence)]) }
        return absence
    }

    package func run() async throws {
        while !Task.isCancelled {
            try await clock.sleep(for: Self.interval)
            let now = effects.now()
            do {
                try await database.write { tx in try Self.beat(at: now, in: tx) }
            } catch {
                log.debug("heartbeat not written", ["error": .error(error)])
            }
        }
    }

    package func drain() async {}

    /// Whether a server runs on a database: one that does writes in less time than this takes to tell.
    ///
    /// - Returns: at once where the last heartbeat is a minute old, otherwise after more than two intervals.
    package static func isBeating(
        in database: Database,
        effects: Effects,
        clock: any Clock<Duration>
    ) async throws -> Bool {
        // That of a clock which is ahead is watched, too.
        guard let first = try await last(in: database), effects.now().since(first) < .seconds(60) else { return false }
        for _ in 0...10 {
            try await clock.sleep(for: .seconds(1))
            if try await last(in: database) != first { return true }
        }
        return false
    }

    private static func last(in database: Database) async throws -> Timestamp? {
        try await database.read { tx in
            try tx.first("SELECT updated_at FROM server_values WHERE name = \(row)") { try $0.timestamp(0) }
        }
    }

    private static func beat(at now: Timestamp, in tx: Transaction) throws {
        try Failpoint.reach(.heartbeatBeat)
        try tx.upsert(into: "server_values", key: ["name": row], set: ["value": now.rfc3339, "updated_at": now])
    }
}
