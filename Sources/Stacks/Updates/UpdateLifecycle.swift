package import Kernel

/// The rules of an update's life, without clock or database (`spec/cli-protocol.md` §10).
///
/// ```
/// not started ──start──▶ running ──complete──▶ succeeded | failed
///                          ├──cancel──▶ cancelled
///                          └──lease over──▶ failed (expired)
/// ```
package enum UpdateLifecycle {
    /// How long a lease may be renewed for, and how long it is at the start.
    package static let longestLease = Duration.seconds(300)
    /// How long after its end a lease is left alone, so that a late renewal can still revive it.
    package static let grace = Duration.seconds(60)

    /// Whether another update may take the stack from one that runs.
    package static func mayBeTaken(_ update: Update, at now: Timestamp) -> Bool {
        guard update.status == .running, let end = update.leaseExpiresAt else { return true }
        return end.advanced(by: grace) < now
    }

    /// Checks that an update may still write: what every request with its token begins with (§10.5).
    package static func requireWritable(_ update: Update) throws(ServiceError) {
        switch update.status {
        case .running: return
        case .notStarted: throw .updateNotStarted
        case .cancelled: throw .updateCancelled
        case .succeeded, .failed: throw update.isExpired ? .updateTimedOut : .updateCompleted
        }
    }

    /// Checks that the lease may be renewed.
    ///
    /// What ended is refused with 403: only that ends the client's loop.
    package static func requireRenewable(_ update: Update) throws(ServiceError) {
        switch update.status {
        case .running: return
        case .notStarted: throw .updateNotStarted
        case .cancelled, .succeeded, .failed: throw .leaseOver
        }
    }

    /// The new length of a lease.
    package static func leaseLength(asked seconds: Int) throws(ServiceError) -> Duration {
        guard (1...300).contains(seconds) else { throw .invalid("duration", "is between 1 and 300 seconds") }
        return .seconds(seconds)
    }

    /// What `complete` with a status does to an update.
    package enum Completion: Equatable {
        case finish(UpdateStatus)
        /// The client repeats an answered request.
        case alreadyDone
    }

    package static func completion(of update: Update, with status: UpdateStatus) throws(ServiceError) -> Completion {
        if update.status == .running { return .finish(status) }
        if update.status == status, update.status != .cancelled, !update.isExpired { return .alreadyDone }
        try requireWritable(update)
        return .finish(status)
    }

    /// What `cancel` does to an update.
    package enum Cancellation: Equatable {
        case finish
        case alreadyDone
    }

    package static func cancellation(of update: Update) throws(ServiceError) -> Cancellation {
        switch update.status {
        case .running: return .finish
        case .cancelled: return .alreadyDone
        case .notStarted: throw .updateNotStarted
        case .succeeded, .failed: throw update.isExpired ? .updateTimedOut : .updateCompleted
        }
    }

    /// The journal version that both sides speak; 0 for checkpoints.
    package static func journalVersion(offered: Int?) -> Int {
        min(max(offered ?? 0, 0), 2)
    }
}
