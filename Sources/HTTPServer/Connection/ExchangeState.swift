/// The life of one request on its connection, without any input or output: events go in, what to do comes out.
///
/// The idle state and the sockets are the C++ side's; this half decides who waits, and that each waiter is resumed once.
/// Reading and answering are independent, because a streamed answer may read the body as it goes.
package struct ExchangeState: Equatable {
    package enum Reader: Equatable {
        /// Nobody waits; more may come.
        case idle
        /// One piece was asked for. Next: any of the others.
        case waiting
        /// The end was seen. Final.
        case ended
        /// The framing is broken. Final.
        case broken
        /// The reading task was cancelled while it waited; a piece may be lost. Final.
        case abandoned
    }

    package enum Answer: Equatable {
        /// No byte of it is out.
        case none
        /// The head is out, nobody waits. Next: `writing`, `complete`.
        case open
        /// A piece was handed over. Next: `open`.
        case writing
        /// A file was handed over. Next: `complete`.
        case sendingFile
        /// Handed over in whole. Final.
        case complete
    }

    package private(set) var reader: Reader = .idle
    package private(set) var answer: Answer = .none
    /// The connection is gone, or the request was given up.
    ///
    /// Final, whatever the others are.
    package private(set) var isClosed = false

    package init() {}

    // MARK: - Reading

    package enum Read: Equatable {
        case ask
        case end
        case broken
        case cancelled
        /// A second reader, or one after the answer.
        case misuse
    }

    /// Somebody wants a piece.
    package mutating func read() -> Read {
        if isClosed { return .cancelled }
        switch reader {
        case .ended: return .end
        case .broken: return .broken
        case .abandoned: return .cancelled
        case .waiting: return .misuse
        case .idle:
            guard answer != .complete, answer != .sendingFile else { return .misuse }
            reader = .waiting
            return .ask
        }
    }

    package enum Received: Equatable {
        case resumeWithPiece
        case resumeWithEnd
        case resumeBroken
        /// The waiter is gone already.
        case ignore
    }

    /// The connection gives a piece, which may be empty only at the end.
    package mutating func received(isEmpty: Bool, end: Bool, broken: Bool) -> Received {
        guard !isClosed, reader == .waiting else { return .ignore }
        if broken {
            reader = .broken
            return .resumeBroken
        }
        reader = end ? .ended : .idle
        return isEmpty ? .resumeWithEnd : .resumeWithPiece
    }

    /// The whole body came with the head and was handed out.
    package mutating func tookWholeBody() {
        reader = .ended
    }

    /// The waiting reader's task was cancelled; true when there is one to resume.
    package mutating func readCancelled() -> Bool {
        guard !isClosed, reader == .waiting else { return false }
        reader = .abandoned
        return true
    }

    // MARK: - Answering

    package enum Form: Equatable {
        case whole
        case file
        case stream
    }

    package struct Respond: Equatable {
        /// False: the connection is gone, or there was an answer.
        package var send: Bool
        /// A reader still waits, and nothing will come for it any more.
        package var failReader: Bool

        package init(send: Bool, failReader: Bool = false) {
            self.send = send
            self.failReader = failReader
        }
    }

    /// The handler has an answer.
    package mutating func respond(_ form: Form) -> Respond {
        guard !isClosed, answer == .none else { return Respond(send: false) }
        switch form {
        case .whole: answer = .complete
        case .file: answer = .sendingFile
        case .stream: answer = .open
        }
        // What the connection reads for it belongs to the rest of the body, which is dropped.
        guard reader == .waiting else { return Respond(send: true) }
        reader = .abandoned
        return Respond(send: true, failReader: true)
    }

    package enum Write: Equatable {
        case send
        case cancelled
        case misuse
    }

    /// A piece of a streamed answer.
    package mutating func write() -> Write {
        if isClosed { return .cancelled }
        guard answer == .open else { return .misuse }
        answer = .writing
        return .send
    }

    /// The system took the piece or the file; true when a writer is to be resumed.
    package mutating func written() -> Bool {
        guard !isClosed else { return false }
        switch answer {
        case .writing: answer = .open
        case .sendingFile: answer = .complete
        case .none, .open, .complete: return false
        }
        return true
    }

    /// The streamed answer is whole; true when that is to be told.
    package mutating func end() -> Bool {
        guard !isClosed, answer == .open else { return false }
        answer = .complete
        return true
    }

    // MARK: - The end

    package struct Close: Equatable {
        package var failReader: Bool
        package var failWriter: Bool
        package var cancelTask: Bool

        package init(failReader: Bool, failWriter: Bool, cancelTask: Bool) {
            self.failReader = failReader
            self.failWriter = failWriter
            self.cancelTask = cancelTask
        }
    }

    /// The peer is gone, time is up, or the server stops.
    package mutating func close() -> Close {
        guard !isClosed else { return Close(failReader: false, failWriter: false, cancelTask: false) }
        let writing = answer == .writing || answer == .sendingFile
        defer { isClosed = true }
        return Close(failReader: reader == .waiting, failWriter: writing, cancelTask: answer != .complete)
    }
}
