package import Kernel
package import Persistence

/// SQL for `stack_tags`.
package struct StackTagStore: Sendable {
    package init() {}

    package func tags(of stack: StackID, in tx: Transaction) throws -> StackTags {
        let rows = try tx.all("SELECT name, value FROM stack_tags WHERE stack_id = \(stack)") {
            (try $0.text(0), try $0.text(1))
        }
        return StackTags(trusted: Dictionary(rows) { first, _ in first })
    }

    package func set(_ name: String, to value: String, on stack: StackID, in tx: Transaction) throws {
        try tx.upsert(into: "stack_tags", key: ["stack_id": stack, "name": name], set: ["value": value])
    }

    package func delete(_ name: String, of stack: StackID, in tx: Transaction) throws {
        try tx.execute("DELETE FROM stack_tags WHERE stack_id = \(stack) AND name = \(name)")
    }

    /// Makes the tags exactly these; rows that need no change are left alone.
    package func replace(_ tags: StackTags, of stack: StackID, in tx: Transaction) throws {
        let current = try self.tags(of: stack, in: tx)
        for name in current.values.keys where tags.values[name] == nil {
            try delete(name, of: stack, in: tx)
        }
        for (name, value) in tags.values where current.values[name] != value {
            try set(name, to: value, on: stack, in: tx)
        }
    }
}
