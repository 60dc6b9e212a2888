package import Kernel
package import Persistence

/// Which stacks read which.
package struct StackReferenceService: Sendable {
    private let database: Database
    private let stacks = StackStore()
    private let references = StackReferenceStore()

    package init(database: Database) {
        self.database = database
    }

    /// The stacks that this one reads, as far as the caller can read them.
    package func upstream(of ref: StackRef, for actor: Actor) async throws -> [ReferencedStack] {
        guard let viewer = Viewer(actor) else { return [] }
        return try await database.read { [stacks, references] tx in
            guard let stack = try stacks.find(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
            return try references.upstream(of: stack.id, visibleTo: viewer, in: tx)
        }
    }

    /// The stacks that read this one, as far as the caller can read them.
    package func downstream(of ref: StackRef, for actor: Actor) async throws -> [ReferencedStack] {
        guard let viewer = Viewer(actor) else { return [] }
        return try await database.read { [stacks, references] tx in
            guard let stack = try stacks.find(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
            return try references.downstream(of: stack.ref, visibleTo: viewer, in: tx)
        }
    }
}
