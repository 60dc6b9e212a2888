package import Kernel

/// What an update does, in the words of history.
package enum UpdateKind: String, Sendable, CaseIterable {
    case update
    case preview
    case refresh
    case destroy
    case importState = "import"
    case rename
}

/// Where an update stands (`spec/cli-protocol.md` §10.1).
package enum UpdateStatus: String, Sendable, CaseIterable {
    /// Made; may be started, once.
    case notStarted = "not started"
    /// Holds the stack, or looks at it as a preview.
    case running
    case succeeded
    case failed
    /// Ended by somebody else than its holder.
    case cancelled

    package var isEnd: Bool { self == .succeeded || self == .failed || self == .cancelled }
}

/// One update of a stack, from its creation to its place in history.
package struct Update: Sendable, Equatable {
    package var id: UpdateID
    package var stack: StackID
    package var kind: UpdateKind
    package var isPreview: Bool
    package var status: UpdateStatus
    /// Whether it ended because its lease did.
    package var isExpired: Bool
    /// The number of the state it makes; for a preview the number it looks at.
    ///
    /// 0 before the start.
    package var version: Int
    /// The stack's generation when the update took it.
    package var generation: Int
    /// 0 for checkpoints, 1 or 2 for a journal.
    package var journalVersion: Int
    package var leaseHash: [UInt8]?
    package var leaseExpiresAt: Timestamp?
    package var requestedBy: UserID?
    package var requestedLogin: String
    /// The client's version, as its `User-Agent` says.
    package var clientVersion: String?
    package var program: UpdateProgram
    package var resourceChanges: String?
    package var resourceCount: Int?
    package var createdAt: Timestamp
    package var startedAt: Timestamp?
    package var endedAt: Timestamp?
}

/// What the client says about the program it runs.
///
/// JSON texts are kept as they came.
package struct UpdateProgram: Sendable, Equatable {
    /// Name, runtime, main, description and options, as a JSON object.
    package var program: String
    package var config: String
    package var message: String
    package var environment: String

    package init(program: String = "{}", config: String = "{}", message: String = "", environment: String = "{}") {
        self.program = program
        self.config = config
        self.message = message
        self.environment = environment
    }
}
