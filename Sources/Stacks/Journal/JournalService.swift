import Crypto
package import Kernel
package import Persistence
import StateStore

/// Takes batches of journal entries.
///
/// Answered only when every entry of the batch is durable.
package struct JournalService: Sendable {
    private static let deadline = Duration.seconds(60)

    private let database: Database
    private let effects: Effects
    private let objects: StateObjects
    private let intake: StateIntake
    private let compute: BlockingPool
    private let stacks = StackStore()
    private let updates = UpdateStore()
    private let journal = SegmentStore(.journal)

    package init(database: Database, effects: Effects, objects: StateObjects, compute: BlockingPool) {
        self.database = database
        self.effects = effects
        self.objects = objects
        self.compute = compute
        intake = StateIntake(objects: objects, compute: compute)
    }

    /// Adds a batch.
    ///
    /// - Parameter body: as it is sent, gzip or plain; it is kept like that.
    /// - Throws: `.conflict` when an entry came before with another content, or the update may not write any more.
    package func append<Body: AsyncSequence>(_ body: Body, to update: UpdateID, of stack: StackID) async throws
    where Body.Element == ArraySlice<UInt8> {
        let (outline, bytes) = try await intake.take(
            body,
            with: { JournalBatchReader(hash: StateHash.maker) },
            of: stack
        )
        try Failpoint.reach(.journalStored)
        guard let numbers = outline.numbers else {
            await objects.discard([bytes.object].compactMap { $0 })
            return try await database.read { [self] tx in try requireJournaling(update, of: stack, in: tx) }
        }
        let segment = Segment(
            digest: outline.digest,
            firstSequence: numbers.lowerBound,
            lastSequence: numbers.upperBound,
            count: outline.count,
            bytes: bytes
        )
        let overlapping = try await insert(segment, to: update, of: stack)
        try Failpoint.reach(.journalSaved)
        guard overlapping.isEmpty else { return try await reconcile(segment, with: overlapping, update, stack) }
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
            try Failpoint.reach(.journalInserted)
            return []
        }
    }

    /// Numbers overlap: batches arrive out of order and are split, so their ranges interleave.
    ///
    /// An entry that is there already must be the same one.
    private func reconcile(
        _ segment: Segment,
        with segments: [Segment],
        _ update: UpdateID,
        _ stack: StackID
    ) async throws {
        let digests = try await digests(of: segment)
        let known = try await known(segments, of: update, stack)
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
            try Failpoint.reach(.journalReconciled)
        }
    }

    /// Number and digest of each entry of batches that are there already.
    private func known(
        _ segments: [Segment],
        of update: UpdateID,
        _ stack: StackID
    ) async throws -> [Int64: [UInt8]] {
        do {
            var known: [Int64: [UInt8]] = [:]
            for segment in segments { known.merge(try await digests(of: segment)) { first, _ in first } }
            return known
        } catch let damage as StateDamage {
            // Whoever ends an update takes its objects away: the client is told that it has ended.
            try await database.read { [self] tx in try requireJournaling(update, of: stack, in: tx) }
            throw damage
        }
    }

    private func requireJournaling(_ id: UpdateID, of stack: StackID, in tx: Transaction) throws {
        guard let update = try updates.find(id, of: stack, in: tx) else { throw ServiceError.updateNotFound(id) }
        guard !update.isPreview else { throw ServiceError.previewsWriteNothing }
        try UpdateLifecycle.requireWritable(update)
        try Failpoint.reach(.leaseChecked)
        guard update.journalVersion > 0 else { throw ServiceError.updateHasNoJournal }
    }

    /// Number and digest of each entry of a batch.
    private func digests(of segment: Segment) async throws -> [Int64: [UInt8]] {
        try await objects.readAgain {
            let body = try await objects.bytes(segment.bytes)
            return try await compute.run(WorkWeight(bytes: body.count), deadline: Self.deadline) {
                do {
                    let entries = try JournalEntry.stored(segment.text(of: body)[...], count: segment.count)
                    let digests = entries.map { ($0.sequenceID, SHA256.hash($0.bytes).bytes) }
                    return Dictionary(digests) { first, _ in first }
                } catch let error as StateError {
                    throw error.serviceError
                }
            }
        }
    }
}
