import Kernel
import Persistence

struct JobRow: Sendable, Equatable {
    var id: JobID
    var kind: String
    var uniqueKey: String?
    var payload: String
    var dueAt: Timestamp
    /// How often it was begun.
    var attempt: Int
    var createdAt: Timestamp
}

/// SQL for `jobs`.
struct JobStore: Sendable {
    private static let columns: SQL = "id, kind, unique_key, payload, due_at, attempt, created_at"

    func insert(_ row: JobRow, in tx: Transaction) throws {
        _ = try tx.insertIgnoringDuplicates(
            into: "jobs",
            [
                "id": row.id, "kind": row.kind, "unique_key": row.uniqueKey, "payload": row.payload,
                "due_at": row.dueAt, "attempt": row.attempt, "created_at": row.createdAt,
            ]
        )
    }

    /// Jobs of these kinds that are due and that nobody works on.
    func due(kinds: [String], at now: Timestamp, limit: Int, in tx: Transaction) throws -> [JobRow] {
        try tx.all(
            """
            SELECT \(Self.columns) FROM jobs
            WHERE due_at <= \(now) AND failed_at IS NULL AND (locked_until IS NULL OR locked_until < \(now))
            AND kind IN \(list: kinds) ORDER BY due_at, id LIMIT \(limit)
            """,
            JobRow.init(row:)
        )
    }

    /// Takes a job for one runner; false when another one was faster.
    func claim(_ id: JobID, by runner: JobID, until: Timestamp, now: Timestamp, in tx: Transaction) throws -> Bool {
        try tx.execute(
            """
            UPDATE jobs SET locked_by = \(runner), locked_until = \(until), attempt = attempt + 1
            WHERE id = \(id) AND failed_at IS NULL AND (locked_until IS NULL OR locked_until < \(now))
            """
        ) == 1
    }

    /// Extends a claim; false when it was lost.
    func renew(_ id: JobID, by runner: JobID, until: Timestamp, in tx: Transaction) throws -> Bool {
        try tx.execute("UPDATE jobs SET locked_until = \(until) WHERE id = \(id) AND locked_by = \(runner)") == 1
    }

    func delete(_ id: JobID, of runner: JobID, in tx: Transaction) throws {
        try tx.execute("DELETE FROM jobs WHERE id = \(id) AND locked_by = \(runner)")
    }

    func reschedule(
        _ id: JobID,
        of runner: JobID,
        due: Timestamp,
        attempt: Int,
        error: String?,
        in tx: Transaction
    ) throws {
        try tx.execute(
            """
            UPDATE jobs SET due_at = \(due), attempt = \(attempt), last_error = \(error.sqlValue), locked_by = NULL,
            locked_until = NULL WHERE id = \(id) AND locked_by = \(runner)
            """
        )
    }

    /// Gives a job up.
    ///
    /// The row stays, so that a person can look at it.
    func fail(_ id: JobID, of runner: JobID, error: String, at now: Timestamp, in tx: Transaction) throws {
        try tx.execute(
            """
            UPDATE jobs SET failed_at = \(now), last_error = \(error), locked_by = NULL, locked_until = NULL
            WHERE id = \(id) AND locked_by = \(runner)
            """
        )
    }

    /// Kinds that rows have and no runner here knows, with their number.
    func unknownKinds(known: [String], in tx: Transaction) throws -> [(kind: String, count: Int)] {
        try tx.all(
            "SELECT kind, COUNT(*) FROM jobs WHERE failed_at IS NULL AND NOT kind IN \(list: known) GROUP BY kind"
        ) { (try $0.text(0), try $0.int(1)) }
    }
}

extension JobRow {
    init(row: Row) throws {
        self.init(
            id: try row.id(0),
            kind: try row.text(1),
            uniqueKey: try row.optional(2, Row.text),
            payload: try row.text(3),
            dueAt: try row.timestamp(4),
            attempt: try row.int(5),
            createdAt: try row.timestamp(6)
        )
    }
}
