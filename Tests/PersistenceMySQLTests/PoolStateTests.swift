import PersistenceMySQL
import Testing

@Suite("Who waits and who works in a pool")
struct PoolStateTests {
    private final class Worker {}
    private final class Job {
        var isPending = true
    }
    private typealias State = PoolState<Worker, Job>

    @Test("starts threads up to the limit, then lets work wait, then refuses it")
    func limits() {
        var state = State(connections: 2, queue: 1)

        let answers = (0..<4).map { _ in submit(&state) }

        #expect(answers == ["start 0", "start 1", "wait", "refuse"])
        #expect(state.live == 2)
        #expect(state.waitingCount == 1)
    }

    @Test("hands work to the thread that worked last")
    func lastInFirstOut() {
        var state = State(connections: 2, queue: 1)
        let workers = [Worker(), Worker()]
        _ = workers.map { _ in submit(&state) }
        for worker in workers { _ = next(&state, worker) }

        #expect(handedTo(&state) === workers[1])
        #expect(handedTo(&state) === workers[0])
    }

    @Test("prefers a thread whose last transaction was of the same kind", arguments: [true, false])
    func sameKind(isReading: Bool) {
        var state = State(connections: 2, queue: 1)
        let (reader, writer) = (Worker(), Worker())
        _ = submit(&state)
        _ = submit(&state)
        _ = next(&state, reader, wasReading: true)
        _ = next(&state, writer, wasReading: false)

        #expect(handedTo(&state, isReading: isReading) === (isReading ? reader : writer))
    }

    @Test("gives what waits to the next free thread, first in, first out")
    func queue() {
        var state = State(connections: 1, queue: 2)
        let jobs = [Job(), Job(), Job()]
        _ = jobs.map { submit(&state, $0) }
        let worker = Worker()

        guard case .run(let first) = state.next(for: worker, hasAnswered: false, generation: 0, wasReading: false),
            case .run(let second) = state.next(for: worker, hasAnswered: false, generation: 0, wasReading: false)
        else {
            Issue.record("nothing to run")
            return
        }

        #expect(first === jobs[1] && second === jobs[2])
        #expect(next(&state, worker) == "park")
    }

    @Test("waits for a thread that is about to be free instead of starting another one")
    func finishing() {
        var state = State(connections: 2, queue: 2)
        let worker = Worker()
        _ = submit(&state)
        state.willFinish()

        #expect(submit(&state) == "wait")
        #expect(submit(&state) == "start 1")
        #expect(next(&state, worker, hasAnswered: true) == "run")
        #expect(submit(&state) == "wait")
    }

    @Test("makes room in a full queue by forgetting what was answered elsewhere")
    func forgetsAnswered() {
        var state = State(connections: 1, queue: 1)
        let cancelled = Job()
        _ = submit(&state)
        _ = submit(&state, cancelled)
        cancelled.isPending = false

        #expect(submit(&state) == "wait")
        #expect(submit(&state) == "refuse")
    }

    @Test("ends a thread without a connection, or with one of an earlier time, when nothing waits")
    func ends() {
        var state = State(connections: 2, queue: 1)
        let worker = Worker()
        _ = submit(&state)

        #expect(next(&state, worker, generation: nil) == "end")
        #expect(state.live == 1, "it counts until it has closed its connection")
        #expect(end(&state) == nil)
        #expect(state.live == 0)
        _ = submit(&state)
        let dropped = state.dropAll()
        #expect(dropped.isEmpty)
        #expect(next(&state, worker, generation: 0) == "end")
        #expect(next(&state, worker, generation: 1) == "park")
    }

    @Test("lets a thread that is ending go on for work that came meanwhile")
    func goesOn() {
        var state = State(connections: 1, queue: 1)
        let job = Job()
        _ = submit(&state)
        _ = next(&state, Worker(), generation: nil)
        #expect(submit(&state, job) == "wait")

        #expect(end(&state) === job)
        #expect(state.live == 1)
        #expect(end(&state) == nil)
    }

    @Test("tells an idle thread whose time is over from one that is getting work")
    func retires() {
        var state = State(connections: 2, queue: 1)
        let worker = Worker()
        _ = submit(&state)
        _ = next(&state, worker)

        #expect(retire(&state, worker))
        #expect(!retire(&state, worker))
        #expect(end(&state) == nil)
        _ = submit(&state)
        _ = next(&state, worker)
        _ = submit(&state)
        #expect(!retire(&state, worker))
    }

    @Test("gives every idle thread up at once")
    func dropsAll() {
        var state = State(connections: 3, queue: 1)
        let workers = [Worker(), Worker()]
        _ = workers.map { _ in submit(&state) }
        for worker in workers { _ = next(&state, worker) }

        let dropped = state.dropAll()

        #expect(dropped.count == 2)
        #expect(state.idle == 0)
        #expect(state.live == 2)
        #expect(submit(&state) == "start 2")
    }

    @Test("passes work on from a thread that finds no room on the server")
    func requeues() {
        var state = State(connections: 2, queue: 0)
        let job = Job()
        _ = submit(&state)
        _ = submit(&state, job)

        state.requeue(job, number: 1)

        #expect(state.live == 1)
        #expect(state.firstWaiting === job)
        #expect(next(&state, Worker()) == "run")
    }

    @Test("refuses work once it is closed, and lets what waits be done")
    func closes() {
        var state = State(connections: 2, queue: 1)
        let worker = Worker()
        _ = submit(&state)
        _ = submit(&state)
        _ = submit(&state)

        let idle = state.close()

        #expect(idle.isEmpty)
        #expect(submit(&state) == "refuse closed")
        #expect(next(&state, worker) == "run")
        #expect(next(&state, worker) == "end")
    }

    @Test("takes out what waits for too long")
    func expires() {
        var state = State(connections: 1, queue: 3)
        let jobs = [Job(), Job(), Job()]
        _ = submit(&state)
        _ = jobs.map { submit(&state, $0) }

        let removed = state.removeWaiting { $0 === jobs[0] || $0 === jobs[2] }

        #expect(removed.count == 2)
        #expect(state.firstWaiting === jobs[1])
        #expect(state.waitingCount == 1)
    }

    private func submit(_ state: inout State, _ job: Job = Job(), isReading: Bool = false) -> String {
        switch state.submit(job, isReading: isReading, isPending: \.isPending) {
        case .hand: "hand"
        case .start(let number): "start \(number)"
        case .wait: "wait"
        case .refuse(isClosed: true): "refuse closed"
        case .refuse(isClosed: false): "refuse"
        }
    }

    private func handedTo(_ state: inout State, isReading: Bool = false) -> Worker? {
        guard case .hand(let worker) = state.submit(Job(), isReading: isReading, isPending: \.isPending) else {
            return nil
        }
        return worker
    }

    private func next(
        _ state: inout State,
        _ worker: Worker,
        hasAnswered: Bool = false,
        generation: Int? = 0,
        wasReading: Bool = false
    ) -> String {
        switch state.next(for: worker, hasAnswered: hasAnswered, generation: generation, wasReading: wasReading) {
        case .run: "run"
        case .park: "park"
        case .end: "end"
        }
    }

    private func end(_ state: inout State) -> Job? {
        state.end(number: 0)
    }

    private func retire(_ state: inout State, _ worker: Worker) -> Bool {
        state.retire(worker)
    }
}
