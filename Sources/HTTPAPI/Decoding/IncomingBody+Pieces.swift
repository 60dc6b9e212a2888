import Compression
import HTTPServer
import Kernel

extension IncomingBody {
    /// The bytes as they were sent.
    ///
    /// Throws `.tooLarge` beyond the limit, `.invalidArgument` when the bytes are no gzip although the header says so, and
    /// `CancellationError` when the client leaves.
    package struct Received: AsyncSequence, Sendable {
        package typealias Element = ArraySlice<UInt8>

        let body: IncomingBody

        package struct AsyncIterator: AsyncIteratorProtocol {
            private var pieces: RequestBody.AsyncIterator
            private let progress: BodyProgress
            private let body: IncomingBody
            private let limit: Int
            private var count = 0

            init(_ body: IncomingBody) {
                self.body = body
                pieces = body.source.makeAsyncIterator()
                progress = body.progress
                limit = body.receivedLimit
            }

            package mutating func next() async throws -> ArraySlice<UInt8>? {
                var pieces = pieces
                defer { self.pieces = pieces }
                guard let piece = try await progress.watching({ try await pieces.next() }) else { return nil }
                progress.count(piece.count)
                if count == 0 { try body.checkEncoding(beginning: piece[...]) }
                count += piece.count
                guard count <= limit else { throw ServiceError.bodyTooLarge(limit: limit) }
                return piece[...]
            }
        }

        package func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(body)
        }
    }

    /// The bytes without compression.
    ///
    /// Throws as `Received` does, and `.invalidArgument` for what is no gzip. Memory does not depend on the body.
    package struct Pieces: AsyncSequence, Sendable {
        package typealias Element = ArraySlice<UInt8>

        let body: IncomingBody

        package struct AsyncIterator: AsyncIteratorProtocol {
            private enum Mode {
                case unknown
                case plain
                case gzip(GzipReader)
            }

            private let body: IncomingBody
            private var received: Received.AsyncIterator
            private var mode = Mode.unknown

            init(_ body: IncomingBody) {
                self.body = body
                received = Received.AsyncIterator(body)
            }

            package mutating func next() async throws -> ArraySlice<UInt8>? {
                if case .plain = mode { return try await received.next() }
                if case .gzip(let reader) = mode { return try await inflated(by: reader) }
                guard let first = try await received.next() else {
                    mode = .plain
                    return nil
                }
                guard body.isGzip(beginning: first) else {
                    mode = .plain
                    return first
                }
                let reader = GzipReader(limit: body.limits.inflated)
                reader.supply(first)
                mode = .gzip(reader)
                return try await inflated(by: reader)
            }

            private mutating func inflated(by reader: GzipReader) async throws -> ArraySlice<UInt8>? {
                while true {
                    if let piece = try reader.next() { return piece }
                    guard let more = try await received.next() else {
                        try reader.finish()
                        mode = .plain
                        return nil
                    }
                    reader.supply(more)
                }
            }
        }

        package func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(body)
        }
    }
}

/// An inflater in a box, because an iterator must be copyable and an inflater is not.
///
/// Errors are those a client sees.
final class GzipReader {
    private var inflater: Inflater

    /// - Parameter limit: the most bytes to give out; nil for bytes of ours, which are not suspected.
    init(limit: Int?) {
        inflater = Inflater(limits: limit.map { .init(output: $0) } ?? .init(output: .max / 2, ratio: .max))
    }

    func supply(_ bytes: ArraySlice<UInt8>) {
        inflater.supply(bytes)
    }

    func next() throws(ServiceError) -> ArraySlice<UInt8>? {
        do {
            return try inflater.next()
        } catch {
            throw error.serviceError
        }
    }

    func finish() throws(ServiceError) {
        do {
            try inflater.finish()
        } catch {
            throw error.serviceError
        }
    }
}
