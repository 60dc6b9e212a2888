package import Kernel
package import Persistence

/// An update as history shows it: with its place among the stack's versions and who asked for it.
package struct HistoryEntry: Sendable {
    package var update: Update
    package var latestVersion: Int
    package var requester: Person
}

/// An update with what led to it.
package struct UpdateTimeline: Sendable {
    package var update: HistoryEntry
    /// The updates directly before it that did not succeed, oldest first: earlier tries of the same change.
    package var attempts: [HistoryEntry]
    /// The previews since the last success before it, oldest first.
    package var previews: [HistoryEntry]
}

/// The numbered updates of stacks, and their previews.
package struct HistoryService: Sendable {
    private let database: Database
    private let stacks = StackStore()
    private let updates = UpdateStore()
    private let people = PersonStore()

    package init(database: Database) {
        self.database = database
    }

    /// Which previews a list shows.
    package enum Previews: Sendable {
        case all
        /// Those that looked at the state that an update left.
        case after(version: Int)
    }

    /// Previews.
    ///
    /// - Parameters:
    ///   - page: from 1; 0 for all of them.
    ///   - size: how many a page has.
    /// - Returns: the page, and how many there are in all.
    /// - Throws: `.notFound` for a version that the stack does not have.
    package func previews(
        _ which: Previews,
        of ref: StackRef,
        isAscending: Bool,
        page: Int,
        size: Int
    ) async throws -> (entries: [HistoryEntry], total: Int) {
        try await database.read { [self] tx in
            let stack = try require(ref, in: tx)
            var versions: ClosedRange<Int>?
            if case .after(let version) = which {
                guard version <= stack.version else { throw ServiceError.versionNotFound(version) }
                versions = version...version
            }
            let found = try updates.previews(
                of: stack.id,
                versions: versions,
                isAscending: isAscending,
                skip: page == 0 ? 0 : (page - 1) * size,
                limit: page == 0 ? Self.most : size,
                in: tx
            )
            let total = try updates.countPreviews(of: stack.id, versions: versions, in: tx)
            return (try found.map { try entry($0, of: stack, in: tx) }, total)
        }
    }

    /// What led to an update.
    ///
    /// - Parameter number: nil for the newest.
    package func timeline(of number: Int?, _ ref: StackRef) async throws -> UpdateTimeline {
        try await database.read { [self] tx in
            let stack = try require(ref, in: tx)
            let found =
                if let number {
                    try updates.find(version: number, of: stack.id, in: tx)
                } else {
                    try updates.history(of: stack.id, skip: 0, limit: 1, in: tx).first
                }
            guard let update = found else {
                throw number.map { ServiceError.versionNotFound($0) } ?? ServiceError.noUpdates
            }
            let attempts = try updates.history(of: stack.id, before: update.version, limit: Self.longest, in: tx)
                .prefix { $0.status != .succeeded }
            let previews = try updates.previews(
                of: stack.id,
                versions: (update.version - 1 - attempts.count)...(update.version - 1),
                isAscending: true,
                skip: 0,
                limit: Self.longest,
                in: tx
            )
            return UpdateTimeline(
                update: try entry(update, of: stack, in: tx),
                attempts: try attempts.reversed().map { try entry($0, of: stack, in: tx) },
                previews: try previews.map { try entry($0, of: stack, in: tx) }
            )
        }
    }

    /// Updates, newest first.
    ///
    /// - Parameters:
    ///   - page: from 1; 0 for all of them.
    ///   - size: how many a page has.
    /// - Returns: the page, and how many there are in all.
    package func list(
        _ ref: StackRef,
        page: Int,
        size: Int
    ) async throws -> (entries: [HistoryEntry], total: Int) {
        try await database.read { [self] tx in
            let stack = try require(ref, in: tx)
            let skip = page == 0 ? 0 : (page - 1) * size
            let limit = page == 0 ? Self.most : size
            let found = try updates.history(of: stack.id, skip: skip, limit: limit, in: tx)
            let total = try updates.countHistory(of: stack.id, in: tx)
            return (try found.map { try entry($0, of: stack, in: tx) }, total)
        }
    }

    /// The newest update.
    ///
    /// - Throws: `.notFound` for a stack that was never updated.
    package func latest(_ ref: StackRef) async throws -> HistoryEntry {
        try await database.read { [self] tx in
            let stack = try require(ref, in: tx)
            guard let update = try updates.history(of: stack.id, skip: 0, limit: 1, in: tx).first else {
                throw ServiceError.noUpdates
            }
            return try entry(update, of: stack, in: tx)
        }
    }

    /// The update that made a version.
    package func version(_ number: Int, of ref: StackRef) async throws -> HistoryEntry {
        try await database.read { [self] tx in
            let stack = try require(ref, in: tx)
            guard let update = try updates.find(version: number, of: stack.id, in: tx) else {
                throw ServiceError.versionNotFound(number)
            }
            return try entry(update, of: stack, in: tx)
        }
    }

    /// One preview.
    package func preview(_ id: UpdateID, of ref: StackRef) async throws -> HistoryEntry {
        try await database.read { [self] tx in
            let stack = try require(ref, in: tx)
            guard let update = try updates.find(id, of: stack.id, in: tx), update.isPreview else {
                throw ServiceError.updateNotFound(id)
            }
            return try entry(update, of: stack, in: tx)
        }
    }

    /// More updates than a list without pages shows.
    private static let most = 10_000
    /// More than a timeline shows of each kind.
    private static let longest = 100

    private func require(_ ref: StackRef, in tx: Transaction) throws -> Stack {
        guard let stack = try stacks.find(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
        return stack
    }

    private func entry(_ update: Update, of stack: Stack, in tx: Transaction) throws -> HistoryEntry {
        let requester = try update.requestedBy.flatMap { try people.find($0, in: tx) }
        return HistoryEntry(
            update: update,
            latestVersion: stack.version,
            requester: requester ?? Person(name: update.requestedLogin, login: update.requestedLogin)
        )
    }
}
