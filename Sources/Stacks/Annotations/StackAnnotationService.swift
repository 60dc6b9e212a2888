import Events
package import Kernel
package import Persistence

/// Notes that tools keep on stacks.
package struct StackAnnotationService: Sendable {
    /// The most notes of one stack.
    private static let most = 1000

    private let database: Database
    private let effects: Effects
    private let audit: AuditLog
    private let stacks = StackStore()
    private let annotations = StackAnnotationStore()

    package init(database: Database, effects: Effects) {
        self.database = database
        self.effects = effects
        audit = AuditLog(effects: effects)
    }

    /// - Parameter version: the version that is wanted; nil for whichever there is. Earlier ones are not kept.
    /// - Throws: `.notFound` when there is no such note.
    package func get(_ key: AnnotationKey, version: Int?, of ref: StackRef) async throws -> StackAnnotation {
        try await database.read { [stacks, annotations] tx in
            guard let stack = try stacks.find(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
            guard let annotation = try annotations.find(key, of: stack.id, in: tx),
                version.map({ $0 == annotation.version }) ?? true
            else { throw ServiceError.annotationNotFound(key) }
            return annotation
        }
    }

    /// Writes a note, in place of the one there is.
    ///
    /// - Parameter version: the version that the writer has seen; nil for a writer who does not care.
    /// - Throws: `.conflict` when there is another version by now.
    package func set(
        _ body: String,
        _ key: AnnotationKey,
        over version: Int?,
        of ref: StackRef,
        by actor: Actor
    ) async throws {
        let now = effects.now()
        try await database.write { [self] tx in
            guard let stack = try stacks.lock(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
            let current = try annotations.find(key, of: stack.id, in: tx)
            if let version, version != current?.version ?? 0 {
                throw ServiceError.annotationMoved(key, version: current?.version ?? 0)
            }
            if current == nil, try annotations.count(of: stack.id, in: tx) >= Self.most {
                throw ServiceError.annotationsFull(Self.most)
            }
            let annotation = StackAnnotation(version: (current?.version ?? 0) + 1, body: body)
            try annotations.set(annotation, key, of: stack.id, at: now, in: tx)
            try audit.append(
                .stackAnnotationsUpdated,
                on: ref.description,
                in: .organization(stack.organization),
                by: actor,
                at: now,
                details: [
                    AuditEvent.Detail("kind", key.kind), AuditEvent.Detail("source", key.source),
                    AuditEvent.Detail("version", String(annotation.version)),
                ],
                tx: tx
            )
        }
    }
}
