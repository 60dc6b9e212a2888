import Events
package import Kernel
package import Persistence

/// Says of stacks that their configuration is in an environment.
///
/// The environment is named, not read: whether it exists shows when a client opens it, as it may be made or deleted at any
/// time after this.
package struct StackConfigService: Sendable {
    private let database: Database
    private let effects: Effects
    private let hold: StackHold
    private let audit: AuditLog
    private let stacks = StackStore()

    package init(database: Database, effects: Effects, hold: StackHold) {
        self.database = database
        self.effects = effects
        self.hold = hold
        audit = AuditLog(effects: effects)
    }

    /// - Throws: `.notFound` for a stack whose configuration is not kept here.
    package func get(_ ref: StackRef) async throws -> StackConfiguration {
        try await database.read { [stacks] tx in
            guard let stack = try stacks.find(ref, in: tx) else { throw ServiceError.stackNotFound(ref) }
            guard let configuration = stack.configuration else { throw ServiceError.configurationNotFound(ref) }
            return configuration
        }
    }

    /// - Throws: `.conflict` while an update runs: it began with the configuration that there was.
    package func set(_ configuration: StackConfiguration, of ref: StackRef, by actor: Actor) async throws {
        try configuration.validate()
        try await change(ref, to: configuration, .stackConfigUpdated, configuration.environment, by: actor)
    }

    /// The configuration is in a file again.
    ///
    /// Deleting what is not there is no error.
    package func delete(of ref: StackRef, by actor: Actor) async throws {
        try await change(ref, to: nil, .stackConfigDeleted, nil, by: actor)
    }

    private func change(
        _ ref: StackRef,
        to configuration: StackConfiguration?,
        _ action: AuditAction,
        _ environment: String?,
        by actor: Actor
    ) async throws {
        let now = effects.now()
        try await hold.write(ref) { [stacks, audit] stack, tx in
            try stacks.setConfiguration(configuration, of: stack.id, in: tx)
            try audit.append(
                action,
                on: ref.description,
                in: .organization(stack.organization),
                by: actor,
                at: now,
                details: environment.map { [AuditEvent.Detail("environment", $0)] } ?? [],
                tx: tx
            )
        }
    }
}
