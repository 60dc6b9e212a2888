package import Kernel
package import StateStore

/// Reads an inflated body while it passes.
package protocol BodyReader: SendableMetatype {
    associatedtype Outline: Sendable

    /// The most bytes of the inflated body.
    static var limit: Int { get }

    mutating func feed(_ window: ArraySlice<UInt8>) throws(StateError)

    /// What the body says, after its last bytes.
    mutating func finish() throws(StateError) -> Outline
}

extension CheckpointReader: BodyReader {
    package static let limit = BodyInflater.textLimit
}

extension JournalBatchReader: BodyReader {
    /// More than two of the longest entries: whatever is refused for its size can be split.
    package static let limit = 257 << 20
}

/// Takes bodies in: makes the bytes durable as they come, and reads them on the way.
///
/// One pass, whose memory does not grow with the body.
package struct StateIntake: Sendable {
    private let objects: StateObjects
    private let compute: BlockingPool

    package init(objects: StateObjects, compute: BlockingPool) {
        self.objects = objects
        self.compute = compute
    }

    /// Reads a body, gzip or plain, to its end.
    ///
    /// - Returns: what it says, and where its bytes are.
    /// - Throws: what the reader refuses; nothing is stored then.
    package func take<Body: AsyncSequence, Reader: BodyReader>(
        _ body: Body,
        with reader: @escaping @Sendable () -> Reader,
        of stack: StackID
    ) async throws -> (outline: Reader.Outline, bytes: StoredBytes) where Body.Element == ArraySlice<UInt8> {
        let scan = BodyScan(reader(), compute: compute)
        var pieces = body.makeAsyncIterator()
        var first: [UInt8] = []
        while first.count <= objects.rowLimit {
            guard let piece = try await pieces.next(isolation: #isolation) else {
                return (try await scan.readWhole(first), .row(first))
            }
            first += piece
        }
        let scanned = ScannedBlocks(first: first, rest: pieces, scan: scan)
        try Failpoint.reach(.bodyStore)
        let object = try await objects.put(scanned, of: stack)
        try Failpoint.reach(.bodyStored)
        guard let outline = scan.outline else { throw StateDamage.nowhere }
        return (outline, .object(object))
    }
}

/// A body that is being read, on the threads for computing.
private final class BodyScan<Reader: BodyReader>: Sendable {
    private struct State: ~Copyable {
        private var inflater = BodyInflater(limit: Reader.limit)
        /// Nil after an error: there is nothing more to read.
        private var reader: Reader?
        private(set) var outline: Reader.Outline?
        /// Bytes of text so far, of a body that comes in pieces.
        private(set) var count = 0

        init(_ reader: Reader) {
            self.reader = reader
        }

        mutating func feedWhole(_ body: [UInt8]) throws {
            guard var reader = reader.take() else { return }
            try inflater.feedWhole(body) { try reader.feed($0) }
            self.reader = reader
        }

        /// Each window is read before the next one is inflated: a piece of 64 KB may be one of 64 MB.
        mutating func feed(_ piece: ArraySlice<UInt8>) throws {
            guard var reader = reader.take() else { return }
            try inflater.feed(piece) { window in
                count += window.count
                try reader.feed(window)
            }
            self.reader = reader
        }

        mutating func finish() throws {
            try inflater.finish()
            outline = try reader?.finish()
        }
    }

    private let state: Locked<State>
    private let compute: BlockingPool

    init(_ reader: sending Reader, compute: BlockingPool) {
        state = Locked(State(reader))
        self.compute = compute
    }

    var outline: Reader.Outline? { state.withLock { $0.outline } }

    func readWhole(_ body: [UInt8]) async throws -> Reader.Outline {
        try await run { state in
            try state.feedWhole(body)
            try state.finish()
        }
        guard let outline else { throw StateDamage.nowhere }
        return outline
    }

    func feed(_ piece: ArraySlice<UInt8>) async throws {
        try await run { try $0.feed(piece) }
    }

    func finish() async throws {
        try await run { try $0.finish() }
    }

    private func run(_ work: @escaping @Sendable (inout State) throws -> Void) async throws {
        let weight = WorkWeight(bytes: state.withLock { $0.count })
        try await compute.run(weight, deadline: .seconds(60)) { [self] in
            do {
                try state.withLock { try work(&$0) }
            } catch let error as StateError {
                throw error.serviceError
            }
        }
    }
}

/// A body in blocks, each of which is read by a scan before it goes on; the next one is collected meanwhile.
///
/// A block costs some changes of thread, whatever it holds: so many small pieces are one.
private struct ScannedBlocks<Pieces: AsyncIteratorProtocol, Reader: BodyReader>: AsyncSequence
where Pieces.Element == ArraySlice<UInt8> {
    /// Not empty.
    let first: [UInt8]
    let rest: Pieces
    let scan: BodyScan<Reader>

    struct AsyncIterator: AsyncIteratorProtocol {
        /// Bytes from which on a block goes on.
        private static var blockSize: Int { 256 << 10 }

        /// Empty behind the last one.
        var block: [UInt8]
        var pieces: Pieces
        let scan: BodyScan<Reader>

        mutating func next() async throws -> [UInt8]? {
            let (block, scan) = (block, scan)
            guard !block.isEmpty else {
                try await scan.finish()
                return nil
            }
            async let read: Void = scan.feed(block[...])
            self.block = try await collect()
            try await read
            return block
        }

        private mutating func collect() async throws -> [UInt8] {
            var block: [UInt8] = []
            while block.count < Self.blockSize, let piece = try await pieces.next(isolation: #isolation) {
                block += piece
            }
            return block
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(block: first, pieces: rest, scan: scan)
    }
}
