package import Kernel
import Synchronization

/// The body of a request, read piece by piece.
///
/// A piece is requested from the socket only when `next` is called, so a slow handler slows the client down. The first
/// call sends `100 Continue` to a client that waits for it. A body is read once: a second iterator goes on where the
/// first one stopped. Pieces are never empty and have at most 64 KiB.
package struct RequestBody: AsyncSequence, Sendable {
    package typealias Element = [UInt8]

    /// The length that the head states; nil when the body is sent in chunks and its end is not known.
    package let length: Int?

    /// Nil for a request without a body.
    private let source: (any BodySource)?

    /// The body of a request that has none.
    package static let empty = RequestBody(length: 0, source: nil)

    init(length: Int?, source: (any BodySource)?) {
        self.length = length
        self.source = source
    }

    /// A body in memory, given out in pieces of at most `pieceSize` bytes.
    ///
    /// For tests of handlers.
    package init(bytes: [UInt8], pieceSize: Int = 65_536) {
        precondition(pieceSize > 0, "a piece has at least one byte")
        length = bytes.count
        source = MemoryBody(bytes: bytes, pieceSize: pieceSize)
    }

    /// A body whose pieces come from `next`, which gives nil at the end.
    ///
    /// For tests of handlers.
    package init(length: Int? = nil, next: @escaping @Sendable () async throws -> [UInt8]?) {
        self.length = length
        source = ClosureBody(produce: next)
    }

    /// Whether anybody has asked for a piece.
    package var wasRead: Bool { source?.wasRead ?? false }

    /// Reads what is left.
    ///
    /// - Parameter limit: the largest number of bytes to hold. A body that is known to be larger is not begun.
    /// - Throws: `ServiceError` with `.tooLarge` beyond the limit and `.invalidArgument` when the framing is broken;
    ///   `CancellationError` when the client has left or the task was cancelled.
    package func collect(upTo limit: Int) async throws -> [UInt8] {
        if let length, length > limit { throw ServiceError.bodyTooLarge(limit: limit) }
        guard let source, var collected = try await source.next() else { return [] }
        guard collected.count <= limit else { throw ServiceError.bodyTooLarge(limit: limit) }
        if let length, length > collected.count { collected.reserveCapacity(length) }
        while let piece = try await source.next() {
            guard collected.count + piece.count <= limit else { throw ServiceError.bodyTooLarge(limit: limit) }
            collected.append(contentsOf: piece)
        }
        return collected
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let source: (any BodySource)?

        /// The next piece, or nil at the end; throws as `collect` does.
        package mutating func next() async throws -> [UInt8]? {
            try await source?.next()
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(source: source)
    }
}

/// Where the pieces of a body come from: a connection, or memory.
protocol BodySource: AnyObject, Sendable {
    var wasRead: Bool { get }

    /// The next piece, never empty; nil at the end and ever after.
    func next() async throws -> [UInt8]?
}

private final class MemoryBody: BodySource {
    private let bytes: [UInt8]
    private let pieceSize: Int
    private let position = Locked<Int?>(nil)

    init(bytes: [UInt8], pieceSize: Int) {
        self.bytes = bytes
        self.pieceSize = pieceSize
    }

    var wasRead: Bool { position.withLock { $0 != nil } }

    func next() async throws -> [UInt8]? {
        let start = position.withLock { position in
            let start = position ?? 0
            position = Swift.min(start + pieceSize, bytes.count)
            return start
        }
        guard start < bytes.count else { return nil }
        return Array(bytes[start..<Swift.min(start + pieceSize, bytes.count)])
    }
}

private final class ClosureBody: BodySource {
    private let produce: @Sendable () async throws -> [UInt8]?
    private let read = Atomic(false)

    init(produce: @escaping @Sendable () async throws -> [UInt8]?) {
        self.produce = produce
    }

    var wasRead: Bool { read.load(ordering: .acquiring) }

    func next() async throws -> [UInt8]? {
        read.store(true, ordering: .releasing)
        return try await produce()
    }
}

extension ServiceError {
    /// A body beyond what the operation takes.
    package static func bodyTooLarge(limit: Int) -> ServiceError {
        ServiceError(.tooLarge, "Content Too Large: the body has more than \(limit) bytes")
    }
}
