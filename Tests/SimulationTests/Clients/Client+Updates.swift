import Kernel
import Stacks
import StateStore

/// The life of one update, as its holder sees it.
extension Client {
    /// Makes and starts an update, in one step or in two.
    func start(_ slot: Int, isJournaled: Bool) async -> Lease? {
        let ref = world.names[slot]
        let actor = Installation.actor
        let start = UpdateService.Start(tags: nil, journalVersion: isJournaled ? 1 : nil, clientVersion: "v3.200.0")
        let intent = Request.Intent.start(isJournaled: isJournaled)
        let answer: Answer<(update: StartedUpdate, state: [UInt8]?)>
        if chance(500) {
            answer = await have(intent, slot) { services in
                let begun = try await services.beginning.begin(
                    .update,
                    isPreview: false,
                    of: ref,
                    program: UpdateProgram(),
                    start,
                    by: actor
                )
                return (begun.update, begun.state.joined())
            }
        } else {
            let made = await have(.makeUpdate, slot) { services in
                try await services.updates.create(
                    .update,
                    isPreview: false,
                    of: ref,
                    program: UpdateProgram(),
                    by: actor
                )
            }
            guard case .ok(let update) = made else { return nil }
            answer = await have(intent, slot) { services in
                (try await services.updates.start(update.id, of: ref, start, by: actor), nil)
            }
        }
        switch answer {
        case .ok((let started, let state)):
            if let state { oracle.told(state, asBaseOf: started.update.id) }
            world.lastUpdates[slot] = (started.update.id, ref)
            oracle.promised(started.expiresAt, to: started.update.id)
            return Lease(update: started.update.id, token: started.token, ref: ref)
        case .refused(let error) where error.code == .notFound:
            await create(slot)
            return nil
        case .refused, .unknown:
            return nil
        }
    }

    /// - Returns: whether the update goes on.
    func renew(_ lease: Lease, _ slot: Int) async -> Bool {
        let answer = await have(.renew(lease.update), slot, as: lease) { services, stack in
            try await services.updates.renew(lease.update, of: stack, duration: 300)
        }
        switch answer {
        case .ok(let end): oracle.promised(end, to: lease.update)
        case .unknown: break
        case .refused: return false
        }
        return true
    }

    func complete(_ lease: Lease, _ slot: Int) async {
        let status = chance(800) ? "succeeded" : "failed"
        let times = chance(100) ? 2 : 1
        for _ in 0..<times {
            _ = await have(.end(lease.update), slot, as: lease) { services, stack in
                try await services.updates.complete(lease.update, of: stack, status: status, by: Installation.actor)
            }
        }
    }

    /// Sends a batch of events, perhaps one that was sent before.
    func sendEvents(_ lease: Lease, _ slot: Int, _ next: inout Int64) async {
        let isRepeat = next > 0 && chance(200)
        let first = isRepeat ? max(0, next - Int64(within(1...3))) : next
        let numbers = Array(first..<(first + Int64(within(1...4))))
        next = max(next, (numbers.last ?? 0) + 1)
        let pad = String(repeating: "e", count: chance(300) ? 700 : 0)
        let events = numbers.map { number in
            #"{"sequence":\#(number),"timestamp":5,"stdoutEvent":{"message":"\#(number)\#(pad)","color":"raw"}}"#
        }
        let body = body(#"{"events":[\#(events.joined(separator: ","))]}"#)
        _ = await have(.events(lease.update, numbers), slot, as: lease) { services, stack in
            try await services.events.append(
                body.bytes,
                isSingle: false,
                limit: 1 << 20,
                to: lease.update,
                of: stack
            )
        }
    }

    /// What happens between two saves.
    ///
    /// - Returns: whether the update goes on.
    func pause(_ lease: Lease, _ slot: Int, _ nextEvent: inout Int64) async -> Bool {
        await scheduler.sleep(within(1_000...20_000_000))
        if chance(300) { await sendEvents(lease, slot, &nextEvent) }
        if chance(150) { await export(slot) }
        if chance(300), !(await renew(lease, slot)) { return false }
        return true
    }

    /// A preview looks at the stack and writes nothing, whoever holds it.
    func preview(_ slot: Int) async {
        let ref = world.names[slot]
        let started = await have(.makeUpdate, slot) { services in
            try await services.beginning.begin(
                .preview,
                isPreview: true,
                of: ref,
                program: UpdateProgram(),
                UpdateService.Start(tags: nil, journalVersion: 1, clientVersion: nil),
                by: Installation.actor
            ).update
        }
        guard case .ok(let preview) = started else { return }
        let lease = Lease(update: preview.update.id, token: preview.token, ref: ref)
        let step = JournalStep(.begin, 1, operation: 1, of: ref.name.rawValue)
        let body = body(#"{"entries":[\#(step.text)]}"#)
        let written = await have(.makeUpdate, slot, as: lease) { services, stack in
            try await services.journal.append(body, to: lease.update, of: stack)
        }
        if case .ok = written { oracle.fail("a preview has written", slot: slot) }
        _ = await have(.makeUpdate, slot, as: lease) { services, stack in
            try await services.updates.complete(lease.update, of: stack, status: "succeeded", by: Installation.actor)
        }
    }

    // MARK: - Checkpoints

    func checkpointedUpdate(of slot: Int) async {
        guard let lease = await start(slot, isJournaled: false) else { return }
        var saver = Saver(client: self, lease: lease, slot: slot)
        var nextEvent: Int64 = 0
        for _ in 0..<within(0...5) {
            guard await saver.save() else { break }
            guard await pause(lease, slot, &nextEvent) else { return }
        }
        // Some clients die.
        if chance(850) { await complete(lease, slot) }
    }
}

/// Sends checkpoints in their three forms.
struct Saver {
    let client: Client
    let lease: Lease
    let slot: Int
    private var sequence = 0
    /// The text that the server has for certain, for the next difference.
    private var known: [UInt8]?
    private let usesDeltas: Bool

    init(client: Client, lease: Lease, slot: Int) {
        self.client = client
        self.lease = lease
        self.slot = slot
        usesDeltas = client.chance(700)
    }

    private var stackName: String { lease.ref.name.rawValue }

    /// - Returns: whether the update goes on.
    mutating func save() async -> Bool {
        let items = client.items(client.within(0...4))
        let pad = client.pad
        guard usesDeltas else { return await savePlain(items, pad) }
        let text = Document.text(items, of: stackName, pad: pad)
        let content = Content(exact: text, items: items)
        sequence += 1
        if let known, client.chance(700) {
            switch await saveDelta(from: known, to: text, content) {
            case .ok:
                self.known = text
                return true
            case .unknown:
                self.known = nil
                return true
            case .refused(let error):
                guard error.code == .invalidArgument else { return false }
            }
        }
        switch await saveVerbatim(text, content) {
        case .ok:
            known = text
            return true
        case .unknown:
            known = nil
            return true
        case .refused:
            return false
        }
    }

    private func savePlain(_ items: [Item], _ pad: Int) async -> Bool {
        let deployment = Document.deployment(items, of: stackName, pad: pad)
        let body = client.body(#"{"isInvalid":false,"version":3,"deployment":\#(deployment)}"#)
        let content = Content(exact: Array(#"{"version":3,"deployment":\#(deployment)}"#.utf8), items: items)
        let intent = Request.Intent.save(lease.update, content, sequence: nil, isDelta: false)
        let update = lease.update
        let answer = await client.have(intent, slot, as: lease) { services, stack in
            try await services.checkpoints.save(body, as: .plain, of: update, stack: stack)
        }
        if case .refused = answer { return false }
        return true
    }

    private func saveVerbatim(_ text: [UInt8], _ content: Content) async -> Answer<Void> {
        let json =
            #"{"version":3,"untypedDeployment":\#(String(decoding: text, as: UTF8.self)),"sequenceNumber":\#(sequence)}"#
        let body = client.body(json)
        let update = lease.update
        let intent = Request.Intent.save(update, content, sequence: sequence, isDelta: false)
        return await client.have(intent, slot, as: lease) { services, stack in
            try await services.checkpoints.save(body, as: .verbatim, of: update, stack: stack)
        }
    }

    private func saveDelta(from old: [UInt8], to new: [UInt8], _ content: Content) async -> Answer<Void> {
        let body = client.body(Delta.body(from: old, to: new, sequence: sequence)).bytes
        let update = lease.update
        let intent = Request.Intent.save(update, content, sequence: sequence, isDelta: true)
        return await client.have(intent, slot, as: lease) { services, stack in
            try await services.checkpoints.saveDelta(body, of: update, stack: stack)
        }
    }
}
