/// How often things go wrong in one run, and what went wrong so far.
///
/// SAFETY: `@unchecked` because it changes; only the thread that runs the seed uses it.
final class FaultPlan: @unchecked Sendable {
    /// What can go wrong.
    enum Fault: Int, CaseIterable {
        case databaseRefused, databaseBusy, commitUnknownDone, commitUnknownUndone, databaseSlow, databaseDown
        case objectRefused, objectAnswerLost, objectSlow, objectBodyWrong, objectsDown
        case keysAway, keysSlow
        case answerLost, requestLost, clientGone
        case crash, stopped, clockStep, clockFrozen
    }

    /// What becomes of one call to a store.
    enum Fate {
        case good, refused, busy
        /// It happens, and nobody hears of it.
        case lostDone
        /// It does not happen, and nobody can tell.
        case lostUndone
    }

    private unowned let scheduler: Scheduler
    private let rates: [Int]
    private let only: Set<Fault>
    private(set) var counts = [Int](repeating: 0, count: Fault.allCases.count)
    /// Nothing goes wrong any more.
    var isHealed = false
    /// Calls before this time find nobody.
    var databaseDownUntil: Int64 = 0
    var objectsDownUntil: Int64 = 0

    /// - Parameter only: the faults that may happen; all when empty.
    init(_ scheduler: Scheduler, only: Set<Fault> = []) {
        self.scheduler = scheduler
        self.only = only
        // Some runs have much of one fault and nothing of another one.
        rates = Fault.allCases.map { fault in
            let rate = scheduler.numbers.pick([0, 2, 5, 10, 10, 20, 40])
            return only.isEmpty ? rate : only.contains(fault) ? 40 : 0
        }
    }

    var total: Int { counts.reduce(0, +) }

    func happens(_ fault: Fault) -> Bool {
        guard !isHealed, scheduler.numbers.chance(rates[fault.rawValue]) else { return false }
        note(fault)
        return true
    }

    /// Whether it is one of those that this run is about.
    func isMeant(_ fault: Fault) -> Bool { only.isEmpty || only.contains(fault) }

    /// Whether clocks were right all the time.
    var clocksAreRight: Bool { counts[Fault.clockStep.rawValue] + counts[Fault.clockFrozen.rawValue] == 0 }

    func note(_ fault: Fault) {
        counts[fault.rawValue] += 1
        scheduler.trace.note(2, fault.rawValue, 0, "fault: \(fault)")
    }

    func fateOfWrite() -> Fate {
        if scheduler.now < databaseDownUntil || happens(.databaseRefused) { return .refused }
        if happens(.databaseBusy) { return .busy }
        if happens(.commitUnknownDone) { return .lostDone }
        if happens(.commitUnknownUndone) { return .lostUndone }
        return .good
    }

    func fateOfRead() -> Fate {
        scheduler.now < databaseDownUntil || happens(.databaseRefused) ? .refused : .good
    }

    func fateOfObject() -> Fate {
        if scheduler.now < objectsDownUntil || happens(.objectRefused) { return .refused }
        return happens(.objectAnswerLost) ? .lostDone : .good
    }

    /// How long a message is on its way; rarely long enough to be overtaken by everything else.
    func delay(slow fault: Fault) -> Int {
        if happens(fault) { return scheduler.numbers.within(20_000...5_000_000) }
        return scheduler.numbers.below(2_000)
    }
}
