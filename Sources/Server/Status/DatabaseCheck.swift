package import Kernel
package import Persistence

/// Whether the database can be read and written: one that is full or read-only answers reads all the same.
///
/// Anybody may ask as often as they like, so it writes once a second at most and repeats what came of it meanwhile.
package final class DatabaseCheck: Sendable {
    private struct LastWrite: Sendable {
        var time: Timestamp
        var error: ServiceError?
    }

    private static let row = "readiness"
    private static let interval = Duration.seconds(1)

    private let database: Database
    private let effects: Effects
    private let last = Locked<LastWrite?>(nil)

    package init(database: Database, effects: Effects) {
        self.database = database
        self.effects = effects
    }

    /// Throws what the database says.
    package func run() async throws {
        try await database.read { tx in _ = try tx.count("SELECT 1") }
        let now = effects.now()
        if let last = last.withLock({ $0 }), abs(now.microseconds - last.time.microseconds) < Self.microseconds {
            if let error = last.error { throw error }
            return
        }
        let error = await write(at: now)
        last.withLock { $0 = LastWrite(time: now, error: error) }
        if let error { throw error }
    }

    private static let microseconds = interval.components.seconds * 1_000_000

    private func write(at now: Timestamp) async -> ServiceError? {
        do {
            try await database.write { tx in
                try tx.upsert(
                    into: "server_values",
                    key: ["name": Self.row],
                    set: ["value": now.rfc3339, "updated_at": now]
                )
            }
            return nil
        } catch let error as ServiceError {
            return error
        } catch is CancellationError {
            return nil
        } catch {
            return ServiceError(.internalError, "The database refused a write.", cause: error)
        }
    }
}
