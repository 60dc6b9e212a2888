import Crypto
package import Kernel
package import Persistence

/// One batch of a journal or of events, with the bytes as they came.
package struct Segment: Sendable, Equatable {
    package var digest: [UInt8]
    package var firstSequence: Int64
    package var lastSequence: Int64
    package var count: Int
    /// As received: gzip or plain.
    package var bytes: StoredBytes

    /// The text of a batch, inflated and checked.
    ///
    /// - Throws: `StateDamage` when it is not what was stored.
    func text(of body: [UInt8]) throws -> [UInt8] {
        guard let text = try? BodyInflater.text(of: body) else { throw StateDamage.checksum }
        guard SHA256.hash(text).bytes == digest else { throw StateDamage.checksum }
        return text
    }
}

/// SQL for `journal_segments` and `event_segments`, which have the same shape.
package struct SegmentStore: Sendable {
    package enum Table: Sendable {
        case journal
        case events

        var sql: SQL {
            switch self {
            case .journal: "journal_segments"
            case .events: "event_segments"
            }
        }

        var name: String { sql.text }
    }

    private static let columns: SQL = "digest, first_sequence, last_sequence, entries, body, object"

    private let table: Table

    package init(_ table: Table) {
        self.table = table
    }

    /// Adds a batch; false when the same one is there already.
    package func insert(_ segment: Segment, of update: UpdateID, at now: Timestamp, in tx: Transaction) throws -> Bool {
        try tx.insertIgnoringDuplicates(
            into: table.name,
            [
                "update_id": update, "digest": segment.digest, "first_sequence": segment.firstSequence,
                "last_sequence": segment.lastSequence, "entries": segment.count, "body": segment.bytes.body,
                "object": segment.bytes.object, "received_at": now,
            ]
        )
    }

    package func all(of update: UpdateID, in tx: Transaction) throws -> [Segment] {
        try tx.all(
            """
            SELECT \(Self.columns) FROM \(table.sql)
            WHERE update_id = \(update) ORDER BY first_sequence, digest
            """,
            Segment.init(row:)
        )
    }

    /// Batches that reach beyond a number, by their first one; at most `limit` of those behind `last`.
    ///
    /// In the order of the index, so that no engine sorts what is not asked for.
    package func page(
        of update: UpdateID,
        beyond number: Int64,
        after last: Segment?,
        limit: Int,
        in tx: Transaction
    ) throws -> [Segment] {
        let range: SQL =
            last.map { last in
                """
                AND first_sequence >= \(last.firstSequence)
                AND (first_sequence > \(last.firstSequence) OR last_sequence > \(last.lastSequence)
                OR (last_sequence = \(last.lastSequence) AND digest > \(last.digest)))
                """
            } ?? ""
        return try tx.all(
            """
            SELECT \(Self.columns) FROM \(table.sql)
            WHERE update_id = \(update) AND last_sequence > \(number) \(range)
            ORDER BY first_sequence, last_sequence, digest LIMIT \(limit)
            """,
            Segment.init(row:)
        )
    }

    /// Batches that share numbers with a range, other than the one with this digest.
    ///
    /// The index is by the last number: of a journal that comes in order, as it nearly always does, no row is read.
    package func overlapping(
        _ range: ClosedRange<Int64>,
        except digest: [UInt8],
        of update: UpdateID,
        in tx: Transaction
    ) throws -> [Segment] {
        try tx.all(
            """
            SELECT \(Self.columns) FROM \(table.sql)
            WHERE update_id = \(update) AND first_sequence <= \(range.upperBound)
            AND last_sequence >= \(range.lowerBound) AND digest <> \(digest)
            ORDER BY first_sequence, digest
            """,
            Segment.init(row:)
        )
    }

    package func count(of update: UpdateID, in tx: Transaction) throws -> Int {
        try tx.count("SELECT COUNT(*) FROM \(table.sql) WHERE update_id = \(update)")
    }

    package func deleteAll(of update: UpdateID, in tx: Transaction) throws {
        try tx.execute("DELETE FROM \(table.sql) WHERE update_id = \(update)")
    }
}

extension Segment {
    init(row: Row) throws {
        self.init(
            digest: try row.bytes(0),
            firstSequence: try row.integer(1),
            lastSequence: try row.integer(2),
            count: try row.int(3),
            bytes: try StoredBytes(body: row.optional(4, Row.bytes), object: row.optional(5, Row.text))
        )
    }
}
