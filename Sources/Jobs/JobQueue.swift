package import Kernel
package import Persistence

/// Puts jobs into the database, inside the transaction of the change that causes them.
package struct JobQueue: Sendable {
    private let effects: Effects
    private let store = JobStore()

    package init(effects: Effects) {
        self.effects = effects
    }

    /// Adds a job.
    ///
    /// - Parameters:
    ///   - due: not before; nil is now.
    ///   - uniqueKey: when a job with this key exists already, nothing is added.
    package func enqueue<J: Job>(
        _ job: J.Type,
        _ payload: J.Payload,
        due: Timestamp? = nil,
        uniqueKey: String? = nil,
        in tx: Transaction
    ) throws {
        try enqueue(kind: J.kind, payload: payload.encoded, due: due, uniqueKey: uniqueKey, in: tx)
    }

    /// Adds a job of a kind that is known by its word only; see `JobRunner.Kind.init(name:retry:run:)`.
    package func enqueue(
        kind: String,
        payload: String,
        due: Timestamp? = nil,
        uniqueKey: String? = nil,
        in tx: Transaction
    ) throws {
        let now = effects.now()
        let row = JobRow(
            id: effects.id(),
            kind: kind,
            uniqueKey: uniqueKey,
            payload: payload,
            dueAt: due ?? now,
            attempt: 0,
            createdAt: now
        )
        try store.insert(row, in: tx)
        try Failpoint.reach(.jobInserted)
    }

    /// Adds the one row of a schedule, unless it is there.
    package func schedule<J: Job>(_ job: J.Type, in tx: Transaction) throws where J.Payload == NoPayload {
        try enqueue(job, NoPayload(), uniqueKey: "schedule:\(J.kind)", in: tx)
    }
}
