package import Kernel
import Persistence
package import StateStore

/// Makes and starts an update, and gives with it the state that it begins from.
///
/// The state is read first: bytes that are away or damaged refuse the update, and one that is refused holds no stack.
package struct UpdateBeginning: Sendable {
    /// What the holder of an update begins with.
    package struct Begun: Sendable {
        package var update: StartedUpdate
        package var state: PiecedText
        package var stack: StackView
    }

    /// The state that was read is not the one that the update would begin from any more.
    private struct StateReplaced: Error {}

    private let updates: UpdateService
    private let stacks: StackService
    private let reader: StateReader

    package init(updates: UpdateService, stacks: StackService, reader: StateReader) {
        self.updates = updates
        self.stacks = stacks
        self.reader = reader
    }

    /// Begins an update.
    ///
    /// - Throws: what `UpdateService.start` and reading a state throw; then nothing was begun.
    package func begin(
        _ kind: UpdateKind,
        isPreview: Bool,
        of ref: StackRef,
        program: UpdateProgram,
        _ start: UpdateService.Start,
        by actor: Actor
    ) async throws -> Begun {
        while true {
            try await updates.requireStartable(ref, isPreview: isPreview, by: actor)
            let state = try await reader.snapshot(of: ref)
            do {
                let begun = try await updates.createAndStart(
                    kind,
                    isPreview: isPreview,
                    of: ref,
                    program: program,
                    start,
                    by: actor
                ) { [reader, stacks] stack, tx in
                    // A preview holds nothing: the state may be another one by the time the answer is sent anyway.
                    guard try isPreview || reader.source(of: stack, in: tx) == state.source else {
                        throw StateReplaced()
                    }
                    return try stacks.get(ref, in: tx)
                }
                return Begun(update: begun.update, state: state.text, stack: begun.told)
            } catch is StateReplaced {
                continue
            }
        }
    }
}
