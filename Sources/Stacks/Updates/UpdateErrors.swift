package import Kernel

/// Messages of §10.5 of `spec/cli-protocol.md`; a test pins them.
extension ServiceError {
    package static func updateNotFound(_ id: UpdateID) -> ServiceError {
        ServiceError(.notFound, "Not Found: Update '\(id)' not found")
    }

    static let updateNotStarted = ServiceError(.conflict, "The Update has not started")
    static let updateCancelled = ServiceError(.conflict, "The Update has been cancelled")
    static let updateTimedOut = ServiceError(.conflict, "The Update has already timed out")
    static let updateCompleted = ServiceError(.conflict, "The Update has already completed")
    static let updateStarted = ServiceError(.conflict, "The Update has already started")

    /// On renewal only 403 ends the client's loop.
    static let leaseOver = ServiceError(.permissionDenied, "The provided update token has expired")
    static let leaseWrong = ServiceError(.permissionDenied, "The provided update token is not valid")

    static let updateIsJournaled = ServiceError(
        .invalidArgument,
        "Bad Request: the update was started with a journal and takes no checkpoints"
    )
    static let updateHasNoJournal = ServiceError(
        .invalidArgument,
        "Bad Request: the update was started without a journal and takes checkpoints"
    )
    static let previewsWriteNothing = ServiceError(.permissionDenied, "A preview does not change the stack's state")

    /// In the words of every other refusal for want of a permission.
    static let writingNotAllowed = ServiceError(
        .permissionDenied,
        "Forbidden: this needs the permission '\(StackPermission.write)'."
    )

    static func statusUnknown(_ status: String) -> ServiceError {
        .invalid("status", "unrecognized status '\(status)'; it is succeeded, failed or cancelled")
    }

    /// Another update holds the stack; says who, what and since when, and how to go on (O-15).
    static func stackBusy(_ update: Update) -> ServiceError {
        let since = (update.startedAt ?? update.createdAt).rfc3339
        return ServiceError(
            .conflict,
            """
            Conflict: Another update is currently in progress. '\(update.requestedLogin)' started this \
            \(update.kind.rawValue) (\(update.id)) at \(since); wait for it, or end it with 'pulumi cancel'.
            """
        )
    }

    static func stateBroken(_ version: Int) -> ServiceError {
        ServiceError(
            .internalError,
            "The bytes of version \(version) do not match their checksum; earlier versions stay readable.",
            cause: StateDamage.checksum
        )
    }

    /// For the end of an update: what a store gives now it may give right later.
    static func stateUnreadable(_ version: Int) -> ServiceError {
        .unavailable(
            """
            The bytes that version \(version) is made of do not match their checksum when they are read now. Nothing that \
            was saved is lost, and the update stays as it is; try again. If this lasts, look at the object store.
            """
        )
    }

    static func versionNotFound(_ version: Int) -> ServiceError {
        ServiceError(.notFound, "Not Found: the stack has no version \(version)")
    }

    static let noUpdates = ServiceError(.notFound, "Not Found: the stack was never updated")
    static let versionInvalid = ServiceError(.invalidArgument, "Bad Request: invalid 'version' parameter")
}
