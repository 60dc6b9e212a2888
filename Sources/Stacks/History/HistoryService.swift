package import Kernel
package import Persistence

/// An update as history shows it: with its place among the stack's versions and who asked for it.
package struct HistoryEntry: Sendable {
    package var update: Update
    package var latestVersion: Int
    package var requester: Requester

    package struct Requester: Sendable, Equatable {
        package var name: String
        package var login: String
        package var avatarURL: String
    }
}

/// The numbered updates of stacks, and their previews.
package struct HistoryService: Sendable {
    private let database: Database
    private let stacks = StackStore()
    private let updates = UpdateStore()

    package init(database: Database) {
        self.database = database
    }

    /// Updates, newest first.
    ///
    /// - Parameters:
    ///   - page: from 1; 0 for all of them.
    ///   - size: how many a page has.
    /// - Returns: the page, and how many there are in all.
    package func list(
        _ ref: StackRef,
        previews: Bool = false,
        page: Int,
        size: Int
    ) async throws -> (entries: [HistoryEntry], total: Int) {
        try await database.read { [self] tx in
            let stack = try require(ref, in: tx)
            let skip = page == 0 ? 0 : (page - 1) * size
            let limit = page == 0 ? Self.most : size
            let found =
                try previews
                ? updates.previews(of: stack.id, skip: skip, limit: limit, in: tx)
                : updates.history(of: stack.id, skip: skip, limit: limit, in: tx)
            let total =
                try previews
                ? updates.countPreviews(of: stack.id, in: tx) : updates.countHistory(of: stack.id, in: tx)
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

    private func require(_ ref: StackRef, in tx: Transaction) throws -> Stack {
        guard let stack = try stacks.find(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
        return stack
    }

    private func entry(_ update: Update, of stack: Stack, in tx: Transaction) throws -> HistoryEntry {
        let requester = try update.requestedBy.flatMap { user in
            try tx.first("SELECT name, login, avatar_url FROM users WHERE id = \(user)") { row in
                HistoryEntry.Requester(name: try row.text(0), login: try row.text(1), avatarURL: try row.text(2))
            }
        }
        return HistoryEntry(
            update: update,
            latestVersion: stack.version,
            requester: requester
                ?? HistoryEntry.Requester(name: update.requestedLogin, login: update.requestedLogin, avatarURL: "")
        )
    }
}
