import Crypto
import JSONScan
package import Kernel
package import Persistence
import StateStore

/// Engine events: kept as they came, read back in their order.
package struct EngineEventService: Sendable {
    /// The most events of one batch (`spec/cli-protocol.md` §13.1).
    private static let batchLimit = 10_000
    /// How long after the end of an update its last events may still be on their way (`spec/cli-protocol.md` §13.1).
    private static let late = Duration.seconds(600)
    private static let deadline = Duration.seconds(60)
    /// A page ends with the event that makes it this long: events with whole states in them would fill the memory.
    private static let pageBytes = 8 << 20
    /// How many batches are asked for together; twenty of the command line's make a page.
    private static let batchesAtOnce = 24

    private let database: Database
    private let effects: Effects
    private let objects: StateObjects
    private let compute: BlockingPool
    private let stacks = StackStore()
    private let updates = UpdateStore()
    private let segments = SegmentStore(.events)

    package init(database: Database, effects: Effects, objects: StateObjects, compute: BlockingPool) {
        self.database = database
        self.effects = effects
        self.objects = objects
        self.compute = compute
    }

    /// Adds a batch as it was sent, gzip or plain.
    ///
    /// A repeated one changes nothing; one that comes shortly after the end of its update is kept, too.
    ///
    /// - Parameters:
    ///   - isSingle: the body is one event instead of a list.
    ///   - limit: the most bytes that the body may inflate to.
    package func append(
        _ received: [UInt8],
        isSingle: Bool,
        limit: Int,
        to update: UpdateID,
        of stack: StackID
    ) async throws {
        let batch = try await compute.run(WorkWeight(bytes: received.count), deadline: Self.deadline) {
            try EventBatch(BodyInflater.text(of: received, limit: limit), isSingle: isSingle)
        }
        guard batch.events.count <= Self.batchLimit else {
            throw ServiceError(.tooLarge, "A batch has at most \(Self.batchLimit) events.")
        }
        guard let first = batch.events.first?.sequence, let last = batch.events.last?.sequence else { return }
        let bytes = try await store(received, of: stack)
        try Failpoint.reach(.eventsStored)
        let row = Segment(
            digest: batch.digest,
            firstSequence: first,
            lastSequence: last,
            count: batch.events.count,
            bytes: bytes
        )
        try await database.write { [self] tx in
            guard let found = try updates.find(update, of: stack, in: tx) else {
                throw ServiceError.updateNotFound(update)
            }
            let isLate = found.endedAt.map { $0.advanced(by: Self.late) >= effects.now() } ?? false
            if !isLate { try UpdateLifecycle.requireWritable(found) }
            _ = try segments.insert(row, of: update, at: effects.now(), in: tx)
            try Failpoint.reach(.eventsInserted)
            if let changes = batch.resourceChanges {
                try updates.setResourceChanges(changes, of: update, in: tx)
            }
        }
        try Failpoint.reach(.eventsSaved)
    }

    private func store(_ received: [UInt8], of stack: StackID) async throws -> StoredBytes {
        guard received.count > objects.rowLimit else { return .row(received) }
        try Failpoint.reach(.eventsStore)
        return .object(try await objects.put(received, of: stack))
    }

    /// One page of an update's events by their numbers.
    ///
    /// - Parameters:
    ///   - after: the number of the last event of the page before; nil for the first page.
    ///   - urn: only events about this resource.
    /// - Returns: the events' texts; the number to continue after, nil when the update has ended and this was all.
    package func page(
        of update: UpdateID,
        ref: StackRef,
        after: Int64?,
        urn: String?,
        limit: Int
    ) async throws -> (events: [[UInt8]], next: Int64?) {
        var page = EventPage(after: after ?? -1, limit: limit, bytes: Self.pageBytes)
        var (hasEnded, rows) = try await database.read { [self, page] tx -> (Bool, [Segment]) in
            guard let stack = try stacks.find(ref, in: tx), let found = try updates.find(update, of: stack.id, in: tx)
            else { throw ServiceError.updateNotFound(update) }
            return (found.status.isEnd, try batches(of: update, for: page, after: nil, in: tx))
        }
        while !rows.isEmpty {
            for row in rows where !page.isWhole(before: row.firstSequence) { page.take(try await events(in: row)) }
            guard let last = rows.last, !page.isWhole(before: last.firstSequence) else { break }
            rows = try await database.read { [self, page] tx in try batches(of: update, for: page, after: last, in: tx)
            }
        }
        let texts = page.events.filter { $0.names(urn) }.map(\.typed)
        let isLast = !page.isCut && hasEnded
        return (texts, isLast ? nil : page.events.last?.sequence ?? page.after)
    }

    private func batches(
        of update: UpdateID,
        for page: EventPage,
        after last: Segment?,
        in tx: Transaction
    ) throws -> [Segment] {
        try segments.page(of: update, beyond: page.after, after: last, limit: Self.batchesAtOnce, in: tx)
    }

    private func events(in row: Segment) async throws -> [EventBatch.Event] {
        try await objects.readAgain {
            let received = try await objects.bytes(row.bytes)
            return try await compute.run(WorkWeight(bytes: received.count), deadline: Self.deadline) {
                let text = try row.text(of: received)
                return try EventBatch(text, isSingle: EventBatch.isSingle(text)).events
            }
        }
    }
}

/// A batch that was read.
package struct EventBatch: Sendable {
    /// One event, as it came.
    package struct Event: Sendable {
        package var sequence: Int64
        package var text: [UInt8]
        /// The member that holds what happened, such as `stdoutEvent`; nil when it has none that we know by its name.
        var payload: String?
        /// Whether it says itself which member that is.
        var hasType = false

        package init(sequence: Int64, text: [UInt8]) {
            self.sequence = sequence
            self.text = text
        }

        /// The text with a `type` that says which member holds what happened, as the contract wants it; all other bytes
        /// stay.
        ///
        /// Clients leave it out when they send events; the CLI passes it over when it reads them.
        var typed: [UInt8] {
            guard let payload, !hasType, let brace = text.firstIndex(of: UInt8(ascii: "{")) else { return text }
            return text[...brace] + Array(#""type":"\#(payload)","#.utf8) + text[(brace + 1)...]
        }

        /// Whether the event speaks of a resource; of any for nil.
        func names(_ urn: String?) -> Bool {
            guard let urn else { return true }
            return String(decoding: text, as: UTF8.self).contains(urn)
        }
    }

    var events: [Event]
    /// Of the text: a client may compress the same batch in another way.
    var digest: [UInt8]
    /// `resourceChanges` of the summary, when it is in the batch: history shows it.
    var resourceChanges: String?

    init(_ text: [UInt8], isSingle: Bool) throws {
        digest = SHA256.hash(text).bytes
        var list: [ArraySlice<UInt8>] = []
        do {
            _ = try Cutter.cut(text[...], as: .journal)
        } catch {
            throw error.serviceError
        }
        if isSingle {
            list = [text[...]]
        } else {
            for member in JSONMembers(of: text[...]) where text[member.key].elementsEqual("events".utf8) {
                let value = text[member.value]
                guard !JSONScalar.isNull(value) else { continue }
                guard value.first == UInt8(ascii: "[") else { throw ServiceError.invalid("events", "must be a list") }
                list = JSONElements(of: value).map { value[$0] }
            }
        }
        events = []
        for (index, element) in list.enumerated() {
            guard element.first == UInt8(ascii: "{") else {
                throw ServiceError.invalid("events[\(index)]", "must be an object")
            }
            guard let event = take(element) else {
                throw ServiceError.invalid("events[\(index)].sequence", "must be a whole number from 0 on")
            }
            events.append(event)
        }
        events.sort { $0.sequence < $1.sequence }
    }

    static func isSingle(_ text: [UInt8]) -> Bool {
        !JSONMembers(of: text[...]).contains { text[$0.key].elementsEqual("events".utf8) }
    }

    /// Nil for an event without a number: several of them could not be told apart.
    private mutating func take(_ element: ArraySlice<UInt8>) -> Event? {
        var sequence: Int64?
        var event = Event(sequence: 0, text: Array(element))
        for member in JSONMembers(of: element) {
            let key = String(decoding: element[member.key], as: UTF8.self)
            switch key {
            case "sequence": sequence = JSONScalar.integer(element[member.value])
            case "type": event.hasType = true
            case "summaryEvent": resourceChanges = Self.changes(element[member.value])
            default: break
            }
            if key.hasSuffix("Event") { event.payload = key }
        }
        guard let sequence, sequence >= 0 else { return nil }
        event.sequence = sequence
        return event
    }

    private static func changes(_ summary: ArraySlice<UInt8>) -> String? {
        for member in JSONMembers(of: summary) where summary[member.key].elementsEqual("resourceChanges".utf8) {
            return String(decoding: summary[member.value], as: UTF8.self)
        }
        return nil
    }
}
