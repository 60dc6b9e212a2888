package import Kernel
import Persistence
import StateStore

/// A state under the new names of its stack, durable and not yet anybody's.
package struct MovedState: Sendable {
    var text: StateText
    var references: [StackRef]
}

/// Writes states anew under other names of their stacks, for renaming, transferring and bringing back.
package struct MovedStates: Sendable {
    private static let deadline = Duration.seconds(60)

    private let reader: StateReader
    private let texts: StateTexts
    private let compute: BlockingPool
    private let stacks = StackStore()
    private let updates = UpdateStore()
    private let versions = StateVersionStore()
    private let references = StackReferenceStore()

    package init(reader: StateReader, texts: StateTexts, compute: BlockingPool) {
        self.reader = reader
        self.texts = texts
        self.compute = compute
    }

    /// The state with the names of `new` in the place of the stack's; nil for a stack that was never given one.
    func moved(_ source: StateReader.Source, of stack: Stack, to new: StackRef) async throws -> MovedState? {
        if case .never = source { return nil }
        let text = try await reader.text(source)
        let rename = StackRename(from: StackNames(stack.ref), to: StackNames(new))
        let (renamed, content) = try await compute.run(deadline: Self.deadline) {
            do {
                let renamed = try rename.apply(to: text[...])
                let document = try StateDocument(reading: renamed)
                let references = document.references(readBy: new)
                return (
                    Array(renamed),
                    StateImport.Content(resourceCount: document.resourceCount, references: references)
                )
            } catch let error as StateError {
                throw error.serviceError
            }
        }
        let stored = try await texts.store(renamed, of: stack.id, resourceCount: content.resourceCount)
        return MovedState(text: stored, references: content.references)
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
        let count = state.text.resourceCount
        let update = Update.finished(id, .rename, of: stack, by: actor, resourceCount: count, at: now)
        try updates.insert(update, in: tx)
        let version = StateVersion(version: update.version, update: id, text: state.text, createdAt: now)
        try versions.insert(version, of: stack.id, in: tx)
        try references.replace(state.references, of: stack.id, in: tx)
        try stacks.advance(stack.id, version: update.version, update: id, resourceCount: count, at: now, in: tx)
    }
}
