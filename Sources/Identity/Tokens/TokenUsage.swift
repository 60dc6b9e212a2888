package import Kernel
package import Persistence
package import Telemetry

/// Remembers when tokens were used, and writes it down every now and then: a request never waits for that.
package final class TokenUsage: Service {
    package let name = "token usage"

    /// How often what was seen is written: at most one write per token in this time (S-04).
    private static let interval = Duration.seconds(60)

    private let database: Database
    private let clock: any Clock<Duration>
    private let log: Logger
    private let tokens = PersonalTokenStore()
    private let seen = Locked<[AccessTokenID: Timestamp]>([:])

    package init(database: Database, clock: any Clock<Duration>, log: Logger) {
        self.database = database
        self.clock = clock
        self.log = log
    }

    package func note(_ id: AccessTokenID, at now: Timestamp) {
        seen.withLock { seen in
            seen[id] = now
        }
    }

    package func run() async throws {
        while !Task.isCancelled {
            try? await clock.sleep(for: Self.interval)
            await flush()
        }
    }

    package func drain() async {
        await flush()
    }

    /// Writes what was seen; on failure it is kept for the next time.
    package func flush() async {
        let uses = seen.withLock { seen in
            defer { seen = [:] }
            return seen
        }
        guard !uses.isEmpty else { return }
        do {
            try await database.write { [tokens] tx in try tokens.touch(uses, in: tx) }
        } catch {
            seen.withLock { seen in
                seen.merge(uses) { newer, older in max(newer, older) }
            }
            log.warning("last use of tokens not written yet", ["error": "\(error)"])
        }
    }
}
