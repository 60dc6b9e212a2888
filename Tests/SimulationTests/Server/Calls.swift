import Kernel

/// Where the first of answer, timeout and broken connection is waited for.
///
/// SAFETY: `@unchecked` because it changes; only the thread that runs the seed uses it.
private final class AnswerSlot<Value: Sendable>: @unchecked Sendable {
    private var answer: Answer<Value>?
    private var waiting: UnsafeContinuation<Answer<Value>, Never>?

    /// - Returns: whether it was the first.
    @discardableResult
    func fill(_ answer: Answer<Value>) -> Bool {
        guard self.answer == nil else { return false }
        self.answer = answer
        waiting?.resume(returning: answer)
        waiting = nil
        return true
    }

    func wait() async -> Answer<Value> {
        await withUnsafeContinuation { continuation in
            if let answer { continuation.resume(returning: answer) } else { waiting = continuation }
        }
    }
}

extension World {
    /// Sends a request to a machine: it may get lost, and so may its answer; and who sent it may be gone before that.
    func send<Value: Sendable>(
        _ request: Request,
        to machine: Machine,
        _ body: @escaping @Sendable (Services) async throws -> Value
    ) async -> Answer<Value> {
        operations += 1
        await scheduler.sleep(scheduler.numbers.below(1000))
        guard machine.process.isAlive else { return .unknown("nobody listens") }
        if faults.happens(.requestLost) { return .unknown("the request was lost") }
        let slot = AnswerSlot<Value>()
        let (process, services) = (machine.process, machine.services)
        let task = scheduler.start(on: machine.lane) { [self] in
            let answer: Answer<Value>
            do {
                answer = .ok(try await Request.$current.withValue(request) { try await body(services) })
            } catch {
                answer = Self.answer(error)
            }
            trace.note(
                3,
                request.operation,
                request.attempt,
                stack: request.slot,
                "\(machine.lane.name) answers #\(request.operation).\(request.attempt) \(request.name): \(Self.text(answer))"
            )
            if !process.isAlive {
                slot.fill(.unknown("the process died"))
            } else if faults.happens(.answerLost) {
                slot.fill(.unknown("the answer was lost"))
            } else {
                slot.fill(answer)
            }
        }
        let patience = faults.happens(.clientGone) ? scheduler.numbers.below(5_000) : 60_000_000
        scheduler.after(patience) { [self] in
            guard slot.fill(.unknown("no answer")) else { return }
            if scheduler.numbers.chance(500) { task.cancel() }
        }
        return await slot.wait()
    }

    private static func answer<Value>(_ error: any Error) -> Answer<Value> {
        switch error {
        case let error as ServiceError where error.code == .unavailable: .unknown(error.message)
        case let error as ServiceError: .refused(error)
        case is CancellationError, is ProcessDied: .unknown("cancelled")
        default: .refused(ServiceError(.internalError, "\(error)", cause: error))
        }
    }

    static func text<Value>(_ answer: Answer<Value>) -> String {
        switch answer {
        case .ok: "ok"
        case .unknown(let why): "unknown (\(why))"
        case .refused(let error): "refused (\(error.code): \(error.message))"
        }
    }
}
