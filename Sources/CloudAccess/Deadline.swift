import Kernel

/// Ends what takes too long.
package enum Deadline {
    /// Runs `body` and cancels it when the time has passed.
    ///
    /// - Throws: what `body` throws, or `late`.
    package static func run<Value: Sendable>(
        within limit: Duration,
        clock: any Clock<Duration>,
        orThrow late: any Error,
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await clock.sleep(for: limit)
                throw late
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw late }
            return value
        }
    }
}
