package import Kernel
import Persistence
import StateStore

/// A state under the new names of its stack, durable and not yet anybody's.
package struct MovedState: Sendable {
    var version: PreparedVersion
    var references: [StackRef]
}

/// Writes states anew under other names of their stacks, for renaming, transferring and bringing back.
package struct MovedStates: Sendable {
    private static let deadline = Duration.seconds(60)

    private let reader: StateReader
    private let writer: VersionWriter
    private let compute: BlockingPool
    private let stacks = StackStore()
    private let updates = UpdateStore()
    private let versions = StateVersionStore()
    private let references = StackReferenceStore()

    package init(reader: StateReader, writer: VersionWriter, compute: BlockingPool) {
        self.reader = reader
        self.writer = writer
        self.compute = compute
    }

    /// The state with the names of `new` in the place of the stack's; nil for a stack that was never given one.
    func moved(_ source: StateReader.Source, of stack: Stack, to new: StackRef) async throws -> MovedState? {
        if case .never = source { return nil }
        let text: PiecedText
        do {
            text = try await reader.text(source)
        } catch let damage as StateDamage {
            throw source.isBroken(by: damage)
        }
        let rename = StackRename(from: StackNames(stack.ref), to: StackNames(new))
        let renamed = try await compute.run(WorkWeight(bytes: text.count), deadline: Self.deadline) {
            do {
                return try rename.apply(to: text.joined()[...])
            } catch let error as StateError {
                throw error.serviceError
            }
        }
        let version = try await writer.write([renamed], over: nil, of: stack.id)
        return MovedState(version: version, references: version.references(readBy: new))
    }

    /// Makes it the stack's next version, of kind `rename` in history.
    func record(
        _ state: MovedState,
        _ id: UpdateID,
        of stack: Stack,
        by actor: Actor,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        let count = state.version.resourceCount
        let update = Update.finished(id, .rename, of: stack, by: actor, resourceCount: count, at: now)
        try updates.insert(update, in: tx)
        try versions.insert(state.version, as: update.version, of: stack.id, by: id, at: now, in: tx)
        try references.replace(state.references, of: stack.id, in: tx)
        try stacks.advance(stack.id, version: update.version, update: id, resourceCount: count, at: now, in: tx)
    }
}
