import JSONScan
import Kernel
import StateStore
import Testing

/// Follows the exchanges of a recording and does to each stack's state what a server would do.
struct RecordedStory {
    private struct Update {
        var stack: String
        var base: String
        var journal = JournalFold()
        var sequence = CheckpointSequence()
        var text = PiecedText()
    }

    /// The document of each stack; a state that was compared or sent is taken over as text.
    private var states: [String: String] = [:]
    private var updates: [String: Update] = [:]
    /// Stacks whose state an update of theirs has changed since it was last compared.
    private var changed: Set<String> = []

    private(set) var comparedStates = 0
    private(set) var appliedDeltas = 0
    private let deltaLimit: Int

    init(deltaLimit: Int) {
        self.deltaLimit = deltaLimit
    }

    mutating func follow(_ exchange: Recordings.Exchange) throws {
        guard let stack = exchange.stack, exchange.succeeded else { return }
        let place: Comment = "exchange \(exchange.sequence)"
        switch (exchange.method, exchange.tail.count, exchange.tail.last) {
        case ("GET", 1, "export"):
            try compare(exchange.answer, of: stack, place)
        case ("POST", 1, "import"):
            states[stack] = exchange.request
        case ("POST", 1, "begin-update"):
            let answer = try Tree(parsing: exchange.answer)
            if let deployment = answer["deployment"] { try compare(deployment.canonical, of: stack, place) }
            updates[answer["updateID"]?.text ?? ""] = Update(stack: stack, base: states[stack] ?? Self.empty)
        case ("POST", 2, let id?):
            updates[id] = Update(stack: stack, base: states[stack] ?? Self.empty)
        case ("PATCH", 3, let kind?), ("POST", 3, let kind?):
            try followUpdate(exchange.tail[1], kind, exchange.request, place)
        default:
            break
        }
    }

    private static var empty: String { text(StateDocument.neverUpdated) }

    private mutating func followUpdate(_ id: String, _ kind: String, _ body: String, _ place: Comment) throws {
        guard var update = updates[id] else { return }
        let content = bytes(body)
        switch kind {
        case "journalentries":
            try update.journal.add(body: content)
            updates[id] = update
        case "checkpoint":
            states[update.stack] = body
            changed.insert(update.stack)
        case "checkpointverbatim":
            try store(verbatim: content, in: &update, place)
            updates[id] = update
        case "checkpointdelta":
            try apply(delta: content, in: &update, place)
            updates[id] = update
        case "complete", "cancel":
            try end(update)
            updates[id] = nil
        default:
            break
        }
    }

    private mutating func end(_ update: Update) throws {
        guard update.journal.count > 0 else { return }
        let options = FoldOptions(time: Timestamp(seconds: 0), cliVersion: "v3.274.1", hash: TestHash.maker)
        let result = try update.journal.finish(base: StateDocument(reading: bytes(update.base)), options: options)
        states[update.stack] = text(result.text())
        changed.insert(update.stack)
    }

    /// Compares a recorded export with the state made here, and goes on with the recorded one.
    private mutating func compare(_ export: String, of stack: String, _ place: Comment) throws {
        defer { states[stack] = export }
        guard changed.remove(stack) != nil, let state = states[stack] else { return }
        let wanted = Recordings.comparable(try Tree(parsing: export))
        let found = Recordings.comparable(try Tree(parsing: state))
        #expect(found.difference(from: wanted) == nil, place)
        comparedStates += 1
    }

    private mutating func store(verbatim body: ArraySlice<UInt8>, in update: inout Update, _ place: Comment) throws {
        var range = 0..<0
        var number: Int64 = 0
        for cut in try Cutter.cut(body, as: .verbatim) {
            switch cut {
            case .opened(.document, let offset): range = offset..<offset
            case .closed(.document, let end): range = range.lowerBound..<end
            case .member(.verbatim, "sequenceNumber", let value, _): number = JSONScalar.integer(value) ?? 0
            default: break
            }
        }
        #expect(update.sequence.decide(.verbatim(number)) == .store, place)
        update.text = PiecedText([body[(body.startIndex + range.lowerBound)..<(body.startIndex + range.upperBound)]])
        update.sequence.stored(number, textHash: hexadecimalHash(of: update.text.pieces, TestHash.maker))
    }

    private mutating func apply(delta body: ArraySlice<UInt8>, in update: inout Update, _ place: Comment) throws {
        guard appliedDeltas < deltaLimit else { return }
        let delta = try CheckpointDelta(body: body)
        #expect(
            update.sequence.decide(.delta(delta.sequenceNumber, hash: delta.checkpointHash)) == .apply,
            place
        )
        (update.text, _) = try delta.apply(to: update.text, hash: TestHash.maker)
        update.sequence.stored(delta.sequenceNumber, textHash: delta.checkpointHash)
        appliedDeltas += 1
    }
}
