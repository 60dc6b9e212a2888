package import Kernel
package import Persistence

/// SQL for `stack_annotations`.
package struct StackAnnotationStore: Sendable {
    package init() {}

    package func find(_ key: AnnotationKey, of stack: StackID, in tx: Transaction) throws -> StackAnnotation? {
        try tx.first(
            """
            SELECT version, body FROM stack_annotations
            WHERE stack_id = \(stack) AND kind = \(key.kind) AND source = \(key.source)
            """
        ) { row in StackAnnotation(version: try row.int(0), body: try row.text(1)) }
    }

    package func count(of stack: StackID, in tx: Transaction) throws -> Int {
        try tx.count("SELECT COUNT(*) FROM stack_annotations WHERE stack_id = \(stack)")
    }

    package func set(
        _ annotation: StackAnnotation,
        _ key: AnnotationKey,
        of stack: StackID,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        try tx.upsert(
            into: "stack_annotations",
            key: ["stack_id": stack, "kind": key.kind, "source": key.source],
            set: ["version": annotation.version, "body": annotation.body, "updated_at": now]
        )
    }
}
