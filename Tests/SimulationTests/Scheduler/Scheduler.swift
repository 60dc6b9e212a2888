/// Runs everything of one seed on the thread that calls it: which job comes next, and how long things take, is decided
/// by the seed.
///
/// Time passes only when nothing can run. Tasks run on `Lane`s, which hand their jobs to the scheduler.
///
/// SAFETY: `@unchecked` because it changes; only the thread that runs the seed uses it.
final class Scheduler: @unchecked Sendable {
    private struct Ready {
        let job: UnownedJob
        let lane: Lane
    }

    /// A time and the place of its action, which heap operations need not touch.
    private struct Timer {
        let time: Int64
        let number: Int
        let place: Int

        func isBefore(_ other: Timer) -> Bool {
            time != other.time ? time < other.time : number < other.number
        }
    }

    /// Microseconds since the run began.
    private(set) var now: Int64 = 0
    var numbers: SeededNumbers
    let trace: Trace
    private var ready: [Ready] = []
    private var timers: [Timer] = []
    private var timerCount = 0
    private var actions: [(@Sendable () -> Void)?] = []
    private var freePlaces: [Int] = []
    /// Tasks that have not ended.
    private(set) var liveTasks = 0

    init(seed: UInt64, trace: Trace) {
        numbers = SeededNumbers(seed)
        self.trace = trace
        trace.time = { [unowned self] in now }
    }

    // MARK: - Work

    /// Starts a task; the scheduler owns it until it ends.
    @discardableResult
    func start(on lane: Lane, _ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        liveTasks += 1
        return Task(executorPreference: lane) { [self] in
            await body()
            liveTasks -= 1
        }
    }

    fileprivate func enqueue(_ job: UnownedJob, _ lane: Lane) {
        ready.append(Ready(job: job, lane: lane))
    }

    /// Calls `action` after a time.
    func after(_ microseconds: Int, _ action: @escaping @Sendable () -> Void) {
        timerCount += 1
        let place: Int
        if let free = freePlaces.popLast() {
            place = free
            actions[place] = action
        } else {
            place = actions.count
            actions.append(action)
        }
        push(Timer(time: now + Int64(microseconds), number: timerCount, place: place))
    }

    func sleep(_ microseconds: Int) async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            after(microseconds) { continuation.resume() }
        }
    }

    /// Lets others go first, as often as not.
    func turn() async {
        guard numbers.chance(300) else { return }
        await sleep(numbers.below(500))
    }

    /// Forgets what would happen later, which holds everything that it is about.
    func end() {
        timers = []
        actions = []
        freePlaces = []
    }

    // MARK: - The loop

    enum End {
        case done
        /// Nothing can ever happen again, and the condition does not hold.
        case stuck
        case tooLong
    }

    /// Runs until a condition holds.
    func run(atMost limit: Int, until isDone: () -> Bool) -> End {
        var steps = 0
        while !isDone() {
            steps += 1
            guard steps < limit else { return .tooLong }
            if !ready.isEmpty {
                let index = numbers.below(ready.count)
                let next = ready[index]
                ready[index] = ready[ready.count - 1]
                ready.removeLast()
                guard !next.lane.isStopped else {
                    next.lane.hold(next.job)
                    continue
                }
                trace.note(1, next.lane.number, ready.count)
                next.job.runSynchronously(on: next.lane.asUnownedTaskExecutor())
            } else if let timer = pop() {
                now = max(now, timer.time)
                let action = actions[timer.place].take()
                freePlaces.append(timer.place)
                action?()
            } else {
                return .stuck
            }
        }
        return .done
    }

    // MARK: - The heap of timers

    private func push(_ timer: Timer) {
        timers.append(timer)
        var child = timers.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard timers[child].isBefore(timers[parent]) else { break }
            timers.swapAt(child, parent)
            child = parent
        }
    }

    private func pop() -> Timer? {
        guard let first = timers.first else { return nil }
        let last = timers.removeLast()
        guard !timers.isEmpty else { return first }
        timers[0] = last
        var parent = 0
        while true {
            var smallest = parent
            let (left, right) = (2 * parent + 1, 2 * parent + 2)
            if left < timers.count, timers[left].isBefore(timers[smallest]) { smallest = left }
            if right < timers.count, timers[right].isBefore(timers[smallest]) { smallest = right }
            guard smallest != parent else { return first }
            timers.swapAt(parent, smallest)
            parent = smallest
        }
    }
}

/// Where the tasks of one process run: it can be stopped and told to continue, as by SIGSTOP and SIGCONT.
///
/// SAFETY: as `Scheduler`.
final class Lane: TaskExecutor, @unchecked Sendable {
    let name: String
    let number: Int
    private unowned let scheduler: Scheduler
    private var held: [UnownedJob] = []
    private(set) var isStopped = false

    init(_ name: String, number: Int, _ scheduler: Scheduler) {
        self.name = name
        self.number = number
        self.scheduler = scheduler
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isStopped { held.append(job) } else { scheduler.enqueue(job, self) }
    }

    /// What is ready already is held, too, when its turn comes.
    func stop() {
        isStopped = true
    }

    func proceed() {
        isStopped = false
        for job in held { scheduler.enqueue(job, self) }
        held = []
    }

    fileprivate func hold(_ job: UnownedJob) {
        held.append(job)
    }
}
