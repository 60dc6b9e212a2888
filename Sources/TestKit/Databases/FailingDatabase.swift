import Kernel
package import Persistence

/// A database of which writes fail when a test wants it, before they happened or after.
package struct FailingDatabase: DatabaseDriver {
    package enum Failure: CaseIterable, Sendable {
        /// Nothing was changed.
        case refused
        /// The change is durable, and nobody was told.
        case answerLost
    }

    private let base: Database
    private let failure: @Sendable () -> Failure?

    /// - Parameter failure: asked at each write; nil lets it pass.
    package init(base: Database, failure: @escaping @Sendable () -> Failure?) {
        self.base = base
        self.failure = failure
    }

    package var dialect: Dialect { base.dialect }

    package func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try await base.read(body)
    }

    package func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        switch failure() {
        case nil:
            return try await base.write(body)
        case .refused:
            throw DatabaseError.unavailable("this write was to fail")
        case .answerLost:
            _ = try await base.write(body)
            throw DatabaseError.unknownCommit("the answer to this write was to be lost")
        }
    }

    package func migrate<T: Sendable>(_ body: @escaping @Sendable (any MigrationSession) throws -> T) async throws -> T
    {
        try await base.migrate(body)
    }

    package func close() async {
        await base.close()
    }
}
