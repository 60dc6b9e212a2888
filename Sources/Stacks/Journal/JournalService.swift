import Crypto
package import Kernel
package import Persistence
import StateStore

/// Takes batches of journal entries.
///
/// Answered only when every entry of the batch is durable.
package struct JournalService: Sendable {
    /// Batches above this size go to the object store first.
    static let rowLimit = 65_536
    private static let deadline = Duration.seconds(60)

    private let database: Database
    private let effects: Effects
    private let objects: StateObjects
    private let compute: BlockingPool
    private let stacks = StackStore()
    private let updates = UpdateStore()
    private let journal = SegmentStore(.journal)

    package init(database: Database, effects: Effects, objects: StateObjects, compute: BlockingPool) {
        self.database = database
        self.effects = effects
        self.objects = objects
        self.compute = compute
    }

    /// Adds a batch.
    ///
    /// - Parameter received: the body as it was sent, gzip or plain; it is kept like that.
    /// - Throws: `.conflict` when an entry came before with another content, or the update may not write any more.
    package func append(_ received: [UInt8], to update: UpdateID, of stack: StackID) async throws {
        let batch = try await compute.run(deadline: Self.deadline) { try Batch(received) }
        guard let first = batch.first, let last = batch.last else {
            return try await database.read { [self] tx in try requireJournaling(update, of: stack, in: tx) }
        }
        var segment = Segment(
            digest: batch.digest,
            firstSequence: first,
            lastSequence: last,
            count: batch.count,
            body: received
        )
        if received.count > Self.rowLimit {
            segment.object = try await objects.put(received, of: stack)
            segment.body = nil
        }
        let overlapping = try await insert(segment, to: update, of: stack)
        guard overlapping.isEmpty else {
            return try await reconcile(received, with: overlapping, segment, update, stack)
        }
    }

    /// - Returns: batches with some of the same numbers; when there are any, nothing was written.
    private func insert(_ segment: Segment, to update: UpdateID, of stack: StackID) async throws -> [Segment] {
        try await database.write { [self] tx in
            guard try stacks.lock(stack, in: tx) != nil else { throw ServiceError.updateNotFound(update) }
            try requireJournaling(update, of: stack, in: tx)
            let range = segment.firstSequence...segment.lastSequence
            let overlapping = try journal.overlapping(range, except: segment.digest, of: update, in: tx)
            guard overlapping.isEmpty else { return overlapping }
            _ = try journal.insert(segment, of: update, at: effects.now(), in: tx)
            return []
        }
    }

    /// Numbers overlap: batches arrive out of order and are split, so their ranges interleave.
    ///
    /// An entry that is there already must be the same one.
    private func reconcile(
        _ received: [UInt8],
        with segments: [Segment],
        _ segment: Segment,
        _ update: UpdateID,
        _ stack: StackID
    ) async throws {
        let digests = try await compute.run(deadline: Self.deadline) { try Batch.digests(of: received) }
        var known: [Int64: [UInt8]] = [:]
        for other in segments {
            let body: [UInt8] =
                if let inRow = other.body { inRow } else { try await objects.get(other.object ?? "") }
            let entries = try await compute.run(deadline: Self.deadline) { try Batch.digests(of: body) }
            known.merge(entries) { first, _ in first }
        }
        for (number, digest) in digests {
            if let before = known[number], before != digest {
                throw StateError.sequenceConflict(number).serviceError
            }
        }
        let seen = known
        try await database.write { [self] tx in
            guard try stacks.lock(stack, in: tx) != nil else { throw ServiceError.updateNotFound(update) }
            try requireJournaling(update, of: stack, in: tx)
            let range = segment.firstSequence...segment.lastSequence
            let now = try journal.overlapping(range, except: segment.digest, of: update, in: tx)
            guard now.map(\.digest) == segments.map(\.digest) else {
                throw ServiceError.unavailable("Another batch came at the same time; try again.")
            }
            guard digests.contains(where: { seen[$0.key] == nil }) else { return }
            _ = try journal.insert(segment, of: update, at: effects.now(), in: tx)
        }
    }

    private func requireJournaling(_ id: UpdateID, of stack: StackID, in tx: Transaction) throws {
        guard let update = try updates.find(id, of: stack, in: tx) else { throw ServiceError.updateNotFound(id) }
        guard !update.isPreview else { throw ServiceError.previewsWriteNothing }
        try UpdateLifecycle.requireWritable(update)
        guard update.journalVersion > 0 else { throw ServiceError.updateHasNoJournal }
    }
}

/// A batch that was read: what is known of it without keeping its entries.
private struct Batch: Sendable {
    var digest: [UInt8]
    var first: Int64?
    var last: Int64?
    var count: Int

    init(_ received: [UInt8]) throws {
        let body = try StateReader.inflated(received)
        let numbers = try Self.entries(of: body).map(\.sequenceID)
        count = Set(numbers).count
        first = numbers.min()
        last = numbers.max()
        // Of the text: a client may compress the same batch in another way.
        digest = SHA256.hash(body).bytes
    }

    /// Number and digest of each entry.
    static func digests(of received: [UInt8]) throws -> [Int64: [UInt8]] {
        let entries = try entries(of: StateReader.inflated(received))
        return Dictionary(entries.map { ($0.sequenceID, SHA256.hash($0.bytes).bytes) }) { first, _ in first }
    }

    /// The entries, of which none contradicts another one of the same number.
    private static func entries(of body: [UInt8]) throws -> [JournalEntry] {
        do {
            var fold = JournalFold()
            let entries = try JournalEntry.batch(body[...])
            try fold.add(entries)
            return entries
        } catch {
            throw error.serviceError
        }
    }
}
