package import Kernel

/// A stack as it is kept: names, version, and who holds it.
package struct Stack: Sendable, Equatable {
    package var id: StackID
    package var organization: OrganizationID
    package var ref: StackRef
    /// The number of the last version of its state; 0 before the first.
    package var version: Int
    /// Raised whenever an update takes the stack (`design/reliability-security.md` D4).
    package var generation: Int
    /// The update that runs, or else the most recent one.
    package var activeUpdate: UpdateID?
    /// The update that holds the stack.
    package var runningUpdate: UpdateID?
    /// Nil as long as nobody has counted.
    package var resourceCount: Int?
    package var lastUpdateAt: Timestamp?
    package var owner: UserID?
    package var createdAt: Timestamp
    package var notifications: StackNotifications
    /// Nil while the configuration is in a file beside the program.
    package var configuration: StackConfiguration?
}

/// Which outcomes of updates the people of a stack hear of.
package struct StackNotifications: Sendable, Equatable {
    package var onSuccess: Bool
    package var onFailure: Bool

    package init(onSuccess: Bool = false, onFailure: Bool = false) {
        self.onSuccess = onSuccess
        self.onFailure = onFailure
    }
}
