import Kernel
import Stacks

/// Updates with a journal: batches out of order, side by side, repeated, and cut in other places.
extension Client {
    func journaledUpdate(of slot: Int) async {
        guard let lease = await start(slot, isJournaled: true) else { return }
        guard let base = await export(slot, of: lease.ref) else { return }
        var writer = JournalWriter(client: self, lease: lease, slot: slot, base: Document.items(of: base).count)
        var nextEvent: Int64 = 0
        for _ in 0..<within(0...5) {
            guard await writer.sendSome() else { return }
            guard await pause(lease, slot, &nextEvent) else { return }
        }
        if chance(850) { await complete(lease, slot) }
    }
}

/// Makes the entries of one journal and sends them.
struct JournalWriter {
    private let client: Client
    private let lease: Lease
    private let slot: Int
    private var nextSequence: Int64 = 1
    private var nextOperation: Int64 = 1
    /// Resources of the base that are still there.
    private var old: [Int]
    /// Operations whose resource the server has for certain.
    private var new: [Int64] = []
    /// What the server has for certain.
    private var acknowledged: [JournalStep] = []

    init(client: Client, lease: Lease, slot: Int, base: Int) {
        self.client = client
        self.lease = lease
        self.slot = slot
        old = Array(0..<base)
    }

    /// - Returns: whether the update goes on.
    mutating func sendSome() async -> Bool {
        let isConcurrent = client.chance(300)
        var batches = [makeBatch()]
        if isConcurrent { batches.append(makeBatch()) }
        if client.chance(200), let known = acknowledged.randomly(client) {
            // A batch that begins with what was sent before.
            batches[0].insert(known, at: 0)
        }
        let answers = await send(batches.reversed()).reversed()
        for (batch, answer) in zip(batches, answers) {
            switch answer {
            case .ok:
                acknowledged += batch
                new += batch.compactMap { $0.kind == .success && $0.item != nil ? $0.operation : nil }
            case .unknown, .refused:
                // The CLI ends an update whose journal cannot be written.
                await client.complete(lease, slot)
                return false
            }
        }
        if client.chance(150), let known = acknowledged.randomly(client) { await sendConflict(known) }
        return true
    }

    /// Sends batches side by side.
    private func send(_ batches: [[JournalStep]]) async -> [Answer<Void>] {
        await withTaskGroup(of: (Int, Answer<Void>).self) { group in
            for (index, batch) in batches.enumerated() {
                group.addTask {
                    var answer = await send(batch, isConflict: false)
                    if case .ok = answer, client.chance(100) { answer = await send(batch, isConflict: false) }
                    return (index, answer)
                }
            }
            var answers: [(Int, Answer<Void>)] = []
            for await answer in group { answers.append(answer) }
            return answers.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func send(_ steps: [JournalStep], isConflict: Bool) async -> Answer<Void> {
        let body = client.body(#"{"entries":[\#(steps.map(\.text).joined(separator: ","))]}"#)
        let update = lease.update
        return await client.have(.journal(update, steps, isConflict: isConflict), slot, as: lease) { services, stack in
            try await services.journal.append(body, to: update, of: stack)
        }
    }

    /// The same number with another content must be refused.
    private func sendConflict(_ known: JournalStep) async {
        var other = known
        other.text = known.text.replacing(#""version":1"#, with: #""version":1,"other":\#(client.world.newMark())"#)
        _ = await send([other], isConflict: true)
    }

    // MARK: - Entries

    private mutating func makeBatch() -> [JournalStep] {
        var steps: [JournalStep] = []
        for _ in 0..<client.within(1...3) { steps += makeSteps() }
        return client.chance(300) ? steps.reversed() : steps
    }

    private mutating func number() -> Int64 {
        defer { nextSequence += 1 }
        // Gaps do no harm.
        if client.chance(50) { nextSequence += 1 }
        return nextSequence
    }

    private mutating func makeSteps() -> [JournalStep] {
        let operation = nextOperation
        nextOperation += 1
        let stack = lease.ref.name.rawValue
        let item = Item(name: "j\(operation)", mark: client.world.newMark())
        let pad = client.pad
        let begin = JournalStep(.begin, number(), operation: operation, of: stack)
        switch client.within(0...9) {
        case 0...2 where !old.isEmpty:
            let index = old.remove(at: client.within(0...(old.count - 1)))
            let isKept = client.chance(600)
            return [
                begin,
                JournalStep(
                    .success,
                    number(),
                    operation: operation,
                    item: isKept ? item : nil,
                    removeOld: index,
                    of: stack,
                    pad: pad
                ),
            ]
        case 3...4 where !new.isEmpty:
            let target = client.scheduler.numbers.pick(new)
            return [
                JournalStep(.outputs, number(), operation: target, item: item, removeNew: target, of: stack, pad: pad)
            ]
        case 5 where !new.isEmpty:
            let target = new.remove(at: client.within(0...(new.count - 1)))
            return [begin, JournalStep(.success, number(), operation: operation, removeNew: target, of: stack)]
        case 6:
            return [begin]
        default:
            return [begin, JournalStep(.success, number(), operation: operation, item: item, of: stack, pad: pad)]
        }
    }
}

extension [JournalStep] {
    fileprivate func randomly(_ client: Client) -> JournalStep? {
        isEmpty ? nil : self[client.within(0...(count - 1))]
    }
}
