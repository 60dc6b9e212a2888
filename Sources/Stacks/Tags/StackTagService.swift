import Events
package import Kernel
package import Persistence

/// Changes the tags of stacks; `pulumi:project` follows the project and is never changed here.
package struct StackTagService: Sendable {
    private let database: Database
    private let effects: Effects
    private let audit: AuditLog
    private let stacks = StackStore()
    private let tags = StackTagStore()

    package init(database: Database, effects: Effects) {
        self.database = database
        self.effects = effects
        audit = AuditLog(effects: effects)
    }

    /// Makes the tags exactly these.
    package func replaceAll(_ values: [String: String], of ref: StackRef, by actor: Actor) async throws {
        let replacement = try StackTags(values)
        try await change(ref, by: actor, detail: "replaced \(values.count)") { [tags] stack, current, tx in
            try tags.replace(try replacement.replacing(current, in: stack.ref.project), of: stack.id, in: tx)
        }
    }

    /// Adds one tag.
    ///
    /// - Throws: `.invalidArgument` when the stack has it already.
    package func add(_ name: String, value: String, to ref: StackRef, by actor: Actor) async throws {
        let added = try StackTags([name: value])
        try await change(ref, by: actor, detail: "added \(name)") { [tags] stack, current, tx in
            guard current.values[name] == nil else { throw ServiceError.tagExists(name) }
            _ = try added.replacing(current, in: stack.ref.project)
            try tags.set(name, to: value, on: stack.id, in: tx)
        }
    }

    /// Changes the value of a tag, and its name when `newName` differs.
    package func update(
        _ name: String,
        newName: String,
        value: String,
        of ref: StackRef,
        by actor: Actor
    ) async throws {
        _ = try StackTags([newName: value])
        try await change(ref, by: actor, detail: "changed \(name)") { [tags] stack, current, tx in
            guard let old = current.values[name] else { throw ServiceError.tagNotFound(name) }
            let touchesProject = name == StackTags.project || newName == StackTags.project
            guard !touchesProject || (name == newName && old == value) else {
                throw ServiceError.tagIsBuiltIn(StackTags.project)
            }
            if newName != name {
                guard current.values[newName] == nil else { throw ServiceError.tagExists(newName) }
                try tags.delete(name, of: stack.id, in: tx)
            }
            try tags.set(newName, to: value, on: stack.id, in: tx)
        }
    }

    /// Takes a tag away.
    package func delete(_ name: String, of ref: StackRef, by actor: Actor) async throws {
        try await change(ref, by: actor, detail: "deleted \(name)") { [tags] stack, current, tx in
            guard current.values[name] != nil else { throw ServiceError.tagNotFound(name) }
            guard name != StackTags.project else { throw ServiceError.tagIsBuiltIn(name) }
            try tags.delete(name, of: stack.id, in: tx)
        }
    }

    /// One change under the stack's lock, so that two changes at the same time end one after the other.
    private func change(
        _ ref: StackRef,
        by actor: Actor,
        detail: String,
        _ body: @escaping @Sendable (Stack, StackTags, Transaction) throws -> Void
    ) async throws {
        let now = effects.now()
        try await database.write { [stacks, tags, audit] tx in
            guard let stack = try stacks.lock(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
            try body(stack, try tags.tags(of: stack.id, in: tx), tx)
            try audit.append(
                .stackTagsUpdated,
                on: ref.description,
                in: .organization(stack.organization),
                by: actor,
                at: now,
                details: [AuditEvent.Detail("change", detail)],
                tx: tx
            )
        }
    }
}
