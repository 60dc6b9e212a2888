import Kernel

/// Sends answers of every kind.
extension Exchange {
    /// Larger bodies in memory go out in slices of this size, so that no second copy of them is made.
    private static let sliceSize = 256 * 1024

    /// Sends the handler's answer to its end, as far as the client takes it.
    func send(_ response: HTTPResponse) async {
        switch response.body {
        case .none, .bytes:
            await sendBytes(response)
        case .file(let file, let offset, let length):
            await sendFile(response, file, offset: offset, length: length)
        case .stream(let length, let produce):
            await sendStream(response, length: length, produce)
        }
    }

    private func sendBytes(_ response: HTTPResponse) async {
        let bytes = response.body.inMemory
        if bytes.count <= Self.sliceSize || isHead || response.status.isBodyless {
            respondWhole(response)
            return
        }
        await sendStream(response, length: Int64(bytes.count)) { writer in
            var start = 0
            while start < bytes.count {
                let end = min(start + Self.sliceSize, bytes.count)
                try await self.write(bytes[start..<end])
                start = end
            }
        }
    }

    /// Hands over a whole answer, head and body together.
    private func respondWhole(_ response: HTTPResponse) {
        // When it is too late for an answer, nobody is there to read it.
        _ = begin(.whole) {
            if Failpoint.fails(.answerWhole) { return session.abort() }
            session.respondWhole(response, isHead: isHead)
        }
        if Failpoint.fails(.answerHanded) { session.abort() }
    }

    private func sendFile(_ response: HTTPResponse, _ file: OpenFile, offset: Int64, length: Int64) async {
        if isHead || response.status.isBodyless || length == 0 {
            sendWithoutBody(response, length: length)
            return
        }
        guard length > 0, offset >= 0, let head = AnswerHead(response, length: length, isHead: false) else {
            _ = begin(.whole) { session.refuse(.badAnswer) }
            return
        }
        // An error means that the client has left; there is nobody to tell.
        try? await send(head, file, offset: offset)
        withExtendedLifetime(file) {}
    }

    private func sendStream(
        _ response: HTTPResponse,
        length: Int64?,
        _ produce: @Sendable (ResponseWriter) async throws -> Void
    ) async {
        if isHead || response.status.isBodyless {
            sendWithoutBody(response, length: length ?? -1)
            return
        }
        guard length ?? 0 >= 0, let head = AnswerHead(response, length: length ?? -1, isHead: false) else {
            _ = begin(.whole) { session.refuse(.badAnswer) }
            return
        }
        guard begin(.stream, { session.writeHead(head) }) else {
            head.drop()
            return
        }
        do {
            try Failpoint.reach(.answerHead)
            try await produce(
                ResponseWriter { piece in
                    try Failpoint.reach(.answerPiece)
                    try await self.write(piece[...])
                }
            )
            try Failpoint.reach(.answerEnd)
            endStream()
        } catch {
            // The head is out: only the end of the connection tells the client that the body is not whole.
            session.abort()
        }
    }

    private func sendWithoutBody(_ response: HTTPResponse, length: Int64) {
        _ = begin(.whole) {
            if let head = AnswerHead(response, length: length, isHead: isHead) {
                session.respond(head)
            } else {
                session.refuse(.badAnswer)
            }
        }
    }
}

extension Session {
    /// Hands over an answer whose body is in memory; the ready answer for `badAnswer` when it cannot be sent.
    func respondWhole(_ response: borrowing HTTPResponse, isHead: Bool) {
        let bytes = response.body.inMemory
        if let head = AnswerHead(response, length: Int64(bytes.count), body: bytes, isHead: isHead) {
            respond(head)
        } else {
            refuse(.badAnswer)
        }
    }
}

extension ResponseBody {
    /// The bytes of a body that is in memory; none of any other.
    var inMemory: [UInt8] {
        if case .bytes(let bytes) = self { bytes } else { [] }
    }

    /// Whether the answer can be handed over at once.
    var isInMemory: Bool {
        switch self {
        case .none, .bytes: true
        case .file, .stream: false
        }
    }
}
