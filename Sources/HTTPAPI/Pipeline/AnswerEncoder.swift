import Compression
import Contract
import HTTPServer
import Kernel

/// Turns the answer of a handler into the answer of HTTP.
struct AnswerEncoder: Sendable {
    /// Answers below this size, up to 1 KiB, go out as they are (`cli-protocol.md` §22, 12).
    static let smallest = 1025
    /// From this size on compressing costs more than a millisecond.
    private static let large = 131_072

    /// Where large answers are compressed; nil does it in place.
    let compute: BlockingPool?

    func encode(_ reply: RawReply, for request: HTTPRequestHead) async throws -> HTTPResponse {
        var response = head(of: reply)
        let isBodyless = response.status.isBodyless || request.method == .head
        switch reply.output.content {
        case .none:
            break
        case .json(let bytes):
            response.headers.append("Content-Type", "application/json")
            response.body = .bytes(bytes)
            if !isBodyless { try await compress(bytes, into: &response, for: request) }
        case .raw(let raw):
            response.headers.append("Content-Type", raw.contentType)
            if !isBodyless { try await fill(&response, with: raw, for: request) }
        }
        if response.status.isBodyless {
            response.body = .none
        } else if request.method == .head, !reply.output.content.isNone {
            // Of a length that is not stated, because GET might have been answered compressed. Nobody asks for it.
            response.body = .stream { _ in }
        }
        return response
    }

    /// The same for an answer that everybody gets: nothing is compressed, streams are not possible.
    func encodeInline(_ reply: RawReply) throws -> HTTPResponse {
        var response = head(of: reply)
        switch reply.output.content {
        case .none:
            break
        case .json(let bytes):
            response.headers.append("Content-Type", "application/json")
            response.body = .bytes(bytes)
        case .raw(let raw):
            guard case .bytes(let bytes) = raw.body else { throw StreamNotPossible() }
            response.headers.append("Content-Type", raw.contentType)
            response.body = .bytes(bytes)
        }
        return response
    }

    struct StreamNotPossible: Error {}

    private func head(of reply: RawReply) -> HTTPResponse {
        var response = HTTPResponse(HTTPStatus(reply.status))
        for header in reply.output.headers { response.headers.append(header.name, header.value) }
        for warning in reply.warnings { response.headers.append("X-Pulumi-Warning", HeaderText.oneLine(warning)) }
        return response
    }

    private func fill(_ response: inout HTTPResponse, with raw: RawOutput, for request: HTTPRequestHead) async throws {
        let isGzip = raw.contentEncoding != nil
        if isGzip { response.headers.append("Vary", "Accept-Encoding") }
        let servesGzip = isGzip && AcceptEncoding.takesGzip(request.headers["Accept-Encoding"])
        if servesGzip { response.headers.append("Content-Encoding", "gzip") }
        switch raw.body {
        case .bytes(let bytes) where !isGzip:
            response.body = .bytes(bytes)
            if Self.isText(raw.contentType) { try await compress(bytes, into: &response, for: request) }
        case .bytes(let bytes) where servesGzip:
            response.body = .bytes(bytes)
        case .bytes(let bytes):
            response.body = .stream { writer in
                let reader = GzipReader(limit: nil)
                reader.supply(bytes[...])
                while let piece = try reader.next() { try await writer.write(Array(piece)) }
                try reader.finish()
            }
        case .pieces(let pieces, let length):
            let length = isGzip && !servesGzip ? nil : length.map(Int64.init)
            let reader = isGzip && !servesGzip
            response.body = .stream(length: length) { writer in
                try await Self.send(pieces, inflating: reader, to: writer)
            }
        }
    }

    private static func send(
        _ pieces: any AsyncSequence<[UInt8], any Error> & Sendable,
        inflating: Bool,
        to writer: ResponseWriter
    ) async throws {
        guard inflating else {
            for try await piece in pieces { try await writer.write(piece) }
            return
        }
        let reader = GzipReader(limit: nil)
        for try await piece in pieces {
            reader.supply(piece[...])
            while let text = try reader.next() { try await writer.write(Array(text)) }
        }
        try reader.finish()
    }

    private func compress(
        _ bytes: [UInt8],
        into response: inout HTTPResponse,
        for request: HTTPRequestHead
    ) async throws {
        guard bytes.count >= Self.smallest else { return }
        response.headers.append("Vary", "Accept-Encoding")
        guard AcceptEncoding.takesGzip(request.headers["Accept-Encoding"]) else { return }
        let compressed: [UInt8] =
            if let compute, bytes.count >= Self.large {
                try await compute.run(deadline: .seconds(10)) { Gzip.gzip(bytes[...], level: 1) }
            } else {
                Gzip.gzip(bytes[...], level: 1)
            }
        guard compressed.count < bytes.count else { return }
        response.headers.append("Content-Encoding", "gzip")
        response.body = .bytes(compressed)
    }

    private static func isText(_ contentType: String) -> Bool {
        contentType.hasPrefix("text/") || contentType.hasPrefix("application/json")
            || contentType.hasPrefix("application/x-yaml")
    }
}

extension RenderedOutput.Content {
    fileprivate var isNone: Bool {
        if case .none = self { true } else { false }
    }
}

/// Text that goes into a header.
enum HeaderText {
    /// Controls become blanks: a line break would begin another header.
    static func oneLine(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return text }
        return String(decoding: text.utf8.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }, as: UTF8.self)
    }
}
