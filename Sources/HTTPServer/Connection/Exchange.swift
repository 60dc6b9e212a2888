import Kernel

/// One request in progress: the meeting point of its handler's task and its connection's loop.
///
/// The lock is held for the state machine and for handing a call to the loop, never while waiting.
final class Exchange: BodySource {
    private struct Guarded {
        var state = ExchangeState()
        var reader: CheckedContinuation<[UInt8]?, any Error>?
        var writer: CheckedContinuation<Void, any Error>?
        var task: Task<Void, Never>?
        var wholeBody: [UInt8]?
        var wasRead = false
    }

    let session: Session
    let isHead: Bool
    private let guarded: Locked<Guarded>

    /// - Parameter wholeBody: the body, when all of it came with the head.
    init(session: Session, isHead: Bool, wholeBody: [UInt8]?) {
        self.session = session
        self.isHead = isHead
        guarded = Locked(Guarded(wholeBody: wholeBody))
        session.retain()
    }

    deinit {
        session.release()
    }

    /// Binds the task that is to be cancelled when the connection is gone.
    func bind(_ task: Task<Void, Never>) {
        let isClosed = guarded.withLock { guarded in
            guarded.task = task
            return guarded.state.isClosed
        }
        if isClosed { task.cancel() }
    }

    // MARK: - Reading, for the handler

    var wasRead: Bool { guarded.withLock { $0.wasRead } }

    func next() async throws -> [UInt8]? {
        let whole = guarded.withLock { guarded -> [UInt8]? in
            guarded.wasRead = true
            guard !guarded.state.isClosed, let body = guarded.wholeBody.take() else { return nil }
            guarded.state.tookWholeBody()
            return body
        }
        if let whole { return whole }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { ask(for: $0) }
        } onCancel: {
            let reader = guarded.withLock { $0.state.readCancelled() ? $0.reader.take() : nil }
            reader?.resume(throwing: CancellationError())
        }
    }

    private func ask(for continuation: CheckedContinuation<[UInt8]?, any Error>) {
        let step = guarded.withLock { guarded -> ExchangeState.Read in
            // The handler of a cancellation that came earlier has found nobody to resume.
            if Task.isCancelled { return .cancelled }
            let step = guarded.state.read()
            if step == .ask {
                guarded.reader = continuation
                session.read()
            }
            return step
        }
        switch step {
        case .ask: return
        case .end: continuation.resume(returning: nil)
        case .broken: continuation.resume(throwing: ServiceError.brokenBody)
        case .cancelled: continuation.resume(throwing: CancellationError())
        case .misuse: continuation.resume(throwing: ServiceError.bodyMisused)
        }
    }

    // MARK: - Answering, for the handler's task

    /// Notes that an answer begins, and hands it over while nothing else can.
    ///
    /// - Returns: false when it is too late for one.
    func begin(_ form: ExchangeState.Form, _ handOver: () -> Void) -> Bool {
        let (step, reader) = guarded.withLock { guarded in
            let step = guarded.state.respond(form)
            if step.send { handOver() }
            return (step, step.failReader ? guarded.reader.take() : nil)
        }
        reader?.resume(throwing: ServiceError.bodyMisused)
        return step.send
    }

    /// Sends a whole file and waits until that is done.
    func send(_ head: AnswerHead, _ file: OpenFile, offset: Int64) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let (step, reader) = guarded.withLock { guarded in
                let step = guarded.state.respond(.file)
                if step.send {
                    guarded.writer = continuation
                    session.respond(head, file: file.descriptor, offset: offset)
                }
                return (step, step.failReader ? guarded.reader.take() : nil)
            }
            reader?.resume(throwing: ServiceError.bodyMisused)
            if !step.send {
                head.drop()
                continuation.resume(throwing: CancellationError())
            }
        }
    }

    /// Sends one piece of a streamed answer and waits until the system has it.
    func write(_ bytes: ArraySlice<UInt8>) async throws {
        try Task.checkCancellation()
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let step = guarded.withLock { guarded -> ExchangeState.Write in
                let step = guarded.state.write()
                if step == .send {
                    guarded.writer = continuation
                    session.write(bytes)
                }
                return step
            }
            switch step {
            case .send: return
            case .cancelled: continuation.resume(throwing: CancellationError())
            case .misuse: continuation.resume(throwing: ServiceError.answerMisused)
            }
        }
    }

    func endStream() {
        guarded.withLock { guarded in
            if guarded.state.end() { session.end() }
        }
    }

    // MARK: - For the connection, on its loop's thread

    func received(_ bytes: UnsafeRawBufferPointer, end: Bool, broken: Bool) {
        let (step, reader) = guarded.withLock { guarded in
            let step = guarded.state.received(isEmpty: bytes.isEmpty, end: end, broken: broken)
            return (step, step == .ignore ? nil : guarded.reader.take())
        }
        switch step {
        case .resumeWithPiece: reader?.resume(returning: Array(bytes))
        case .resumeWithEnd: reader?.resume(returning: nil)
        case .resumeBroken: reader?.resume(throwing: ServiceError.brokenBody)
        case .ignore: return
        }
    }

    /// - Parameter isWrong: the piece exceeds the stated length and was not sent.
    func written(isWrong: Bool) {
        let writer = guarded.withLock { $0.state.written() ? $0.writer.take() : nil }
        if isWrong {
            writer?.resume(throwing: ServiceError.answerTooLong)
        } else {
            writer?.resume()
        }
    }

    /// The connection is gone: whoever waits is resumed, and the handler cancelled.
    func closed() {
        let (step, reader, writer, task) = guarded.withLock { guarded in
            let step = guarded.state.close()
            return (
                step,
                step.failReader ? guarded.reader.take() : nil,
                step.failWriter ? guarded.writer.take() : nil,
                guarded.task.take()
            )
        }
        // Cancelled first, so that a handler that is resumed finds itself cancelled.
        if step.cancelTask { task?.cancel() }
        reader?.resume(throwing: CancellationError())
        writer?.resume(throwing: CancellationError())
    }
}

extension ServiceError {
    static let brokenBody = ServiceError(.invalidArgument, "Bad Request: the chunks of the body are broken")
    static let bodyMisused = ServiceError(.internalError, "Internal Error: the body was read twice, or too late")
    static let answerMisused = ServiceError(.internalError, "Internal Error: two writers, or one after the end")
    static let answerTooLong = ServiceError(.internalError, "Internal Error: the answer exceeds its stated length")
}
