import Kernel
import Persistence

/// Knows what must be true, from what clients have sent and the order in which it was committed.
///
/// It reads a few columns of the database after each commit, to see which of the things that were asked for have
/// happened; that they were allowed to, and that everything that was answered has happened and stays, is what it checks.
///
/// SAFETY: `@unchecked` because it changes; only the thread that runs the seed uses it.
final class Oracle: @unchecked Sendable {
    let database: SimulatedDatabase
    let bucket: Bucket
    let faults: FaultPlan
    let trace: Trace
    /// The true time.
    var time: () -> Timestamp = { Timestamp(seconds: 0) }
    /// How many transactions were committed.
    private(set) var commits = 0
    private(set) var violation: Violation?
    var stacks: [String: StackModel] = [:]
    var updates: [String: UpdateModel] = [:]
    /// Attempts whose own change was committed.
    var effects: Set<Attempt> = []
    /// What happened, and how often: a run in which nothing happens keeps every promise.
    private(set) var happenings: [Happening: Int] = [:]
    /// Operations of which any attempt was committed.
    var done: Set<Int> = []

    struct Attempt: Hashable {
        var operation: Int
        var attempt: Int
    }

    /// Things that some run must have seen.
    enum Happening: String, CaseIterable, Sendable {
        case create, start, journal, save, delta, end, events, importState, rename, delete, restore
        case expired, refusedAfterEnd, refusedConflict, swept, exportWhileRunning
    }

    struct Violation {
        var text: String
        var slot: Int?
    }

    init(database: SimulatedDatabase, bucket: Bucket, faults: FaultPlan, trace: Trace) {
        self.faults = faults
        self.database = database
        self.bucket = bucket
        self.trace = trace
    }

    func fail(_ text: String, _ request: Request? = nil, slot: Int? = nil) {
        guard violation == nil else { return }
        let cause = request.map { " (#\($0.operation).\($0.attempt) \($0.name))" } ?? ""
        violation = Violation(text: text + cause, slot: slot ?? request?.slot)
        trace.note(9, 0, 0, "VIOLATION: \(text)\(cause)")
    }

    func count(_ happening: Happening) {
        happenings[happening, default: 0] += 1
    }

    func inOrder() -> [StackModel] { stacks.values.sorted { $0.number < $1.number } }

    // MARK: - After a commit

    func committed(_ request: Request?, _ changes: [Change]) {
        commits += 1
        trace.note(
            4,
            commits,
            request?.operation ?? 0,
            stack: request?.slot,
            "commit \(commits) of #\(request?.operation ?? 0).\(request?.attempt ?? 0) \(request?.name ?? "?")"
        )
        var tables: Set<String> = []
        var inserts: Set<String> = []
        for change in changes {
            tables.insert(change.table)
            guard change.verb == .insert else { continue }
            inserts.insert(change.table)
            for key in change.objects where !bucket.isDurable(key) {
                fail("D3: a row of \(change.table) names \(key), which is not durable", request)
            }
        }
        do {
            if inserts.contains("journal_segments") { try takeJournal(request) }
            if inserts.contains("update_checkpoints") || inserts.contains("update_deltas") { try takeSave(request) }
            if inserts.contains("event_segments") { takeEvents(request) }
            if tables.contains("stacks") { try compareStacks(request) }
            if tables.contains("updates") || tables.contains("stacks") { try compareRunning(request) }
        } catch {
            fail("the oracle cannot read: \(error)", request)
        }
    }

    private func writer(_ request: Request?) -> UpdateModel? {
        guard let id = request?.update?.description, let update = updates[id] else {
            fail("somebody writes what no update was asked to write", request)
            return nil
        }
        guard update.stack.running === update, update.generation == update.stack.generation, update.stack.isLive else {
            fail("D4: update \(id) writes, which does not hold its stack any more", request)
            return nil
        }
        return update
    }

    private func takeJournal(_ request: Request?) throws {
        guard let request, let update = writer(request), case .journal(_, let steps, _) = request.intent else {
            return fail("a journal that nobody sent", request)
        }
        for step in steps {
            if let before = update.steps[step.sequence], before.text != step.text {
                fail("D6: entry \(step.sequence) was taken with two contents", request)
            }
            update.steps[step.sequence] = step
        }
        update.content = Content(
            exact: nil,
            items: JournalStep.fold(Array(update.steps.values), over: update.base.items)
        )
        note(request)
        update.stack.look(at: commits)
    }

    private func takeSave(_ request: Request?) throws {
        guard let request, let update = writer(request),
            case .save(_, let content, let sequence, _) = request.intent
        else { return fail("a save that nobody sent", request) }
        if let sequence {
            if sequence < update.sequence { fail("save \(sequence) replaced save \(update.sequence)", request) }
            update.sequence = sequence
        }
        update.content = content
        update.saves.insert(request.operation)
        note(request)
        update.stack.look(at: commits)
    }

    private func takeEvents(_ request: Request?) {
        guard let request, case .events(let id, let numbers) = request.intent,
            let update = updates[id.description]
        else { return fail("events that nobody sent", request) }
        update.events.formUnion(numbers)
        note(request)
    }

    /// The attempt has had its effect.
    func note(_ request: Request) {
        effects.insert(Attempt(operation: request.operation, attempt: request.attempt))
        if let happening = request.happening { count(happening) }
        done.insert(request.operation)
    }

    /// Every update that runs holds its stack, and no stack is held by two.
    private func compareRunning(_ request: Request?) throws {
        let running = try database.oracle.all(
            "SELECT id, stack_id FROM updates WHERE status = 'running' AND is_preview = 0"
        ) { (try $0.text(0), try $0.text(1)) }
        for (id, stack) in running where stacks[stack]?.running?.id != id {
            fail("R-07: update \(id) runs, but does not hold its stack", request)
        }
        let held = stacks.values.count { $0.running != nil }
        if held != running.count { fail("\(held) stacks are held by \(running.count) updates that run", request) }
    }

    // MARK: - Objects

    /// Nothing is deleted that a row names.
    func deleting(_ keys: [String], _ request: Request?) {
        if case .housekeeping = request?.intent { count(.swept) }
        do {
            for key in keys {
                for table: SQL in [
                    "state_versions", "update_checkpoints", "update_deltas", "journal_segments", "event_segments",
                ] {
                    let count = try database.oracle.count("SELECT COUNT(*) FROM \(table) WHERE object = \(key)")
                    if count > 0 { fail("D3: \(key) is deleted, which a row of \(table.text) names", request) }
                }
            }
        } catch {
            fail("the oracle cannot read: \(error)")
        }
    }
}
