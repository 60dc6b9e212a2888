package import Kernel
package import StateStore
import Synchronization

/// Takes a checkpoint in: makes the bytes durable as they come, and reads them on the way.
///
/// One pass, whose memory does not grow with the body.
package struct CheckpointIntake: Sendable {
    private let objects: StateObjects
    private let compute: BlockingPool

    package init(objects: StateObjects, compute: BlockingPool) {
        self.objects = objects
        self.compute = compute
    }

    /// Reads a body to its end.
    ///
    /// - Returns: what it says, nil when it asks to keep the last good state, and where its bytes are.
    /// - Throws: `.invalidArgument` for what is no checkpoint of that form; nothing is stored then.
    package func take<Body: AsyncSequence>(
        _ body: Body,
        as form: CheckpointReader.Form,
        of stack: StackID
    ) async throws -> (outline: CheckpointOutline?, bytes: StoredBytes) where Body.Element == ArraySlice<UInt8> {
        let scan = CheckpointScan(form, compute: compute)
        var pieces = body.makeAsyncIterator()
        var first: [UInt8] = []
        while first.count <= StoredBytes.rowLimit {
            guard let piece = try await pieces.next(isolation: #isolation) else {
                try await scan.feed(first[...])
                return (try await scan.finish(), .row(first))
            }
            first += piece
        }
        let object = try await objects.put(
            ScannedPieces(pieces: Continued(first: first[...], rest: pieces), scan: scan),
            of: stack
        )
        return (scan.outline, .object(object))
    }
}

/// A checkpoint that is being read, on the threads for computing.
private final class CheckpointScan: Sendable {
    private struct State: ~Copyable {
        var inflater = BodyInflater()
        var reader: CheckpointReader
        var outline: CheckpointOutline?
    }

    private static let deadline = Duration.seconds(60)

    private let state: Mutex<State>
    private let compute: BlockingPool

    init(_ form: CheckpointReader.Form, compute: BlockingPool) {
        state = Mutex(State(reader: CheckpointReader(form, hash: StateHash.maker)))
        self.compute = compute
    }

    var outline: CheckpointOutline? { state.withLock { $0.outline } }

    func feed(_ piece: ArraySlice<UInt8>) async throws {
        try await run { state in
            var windows: [ArraySlice<UInt8>] = []
            try state.inflater.feed(piece) { windows.append($0) }
            for window in windows { try state.reader.feed(window) }
        }
    }

    @discardableResult
    func finish() async throws -> CheckpointOutline? {
        try await run { state in
            try state.inflater.finish()
            state.outline = try state.reader.finish()
        }
        return outline
    }

    private func run(_ work: @escaping @Sendable (inout State) throws -> Void) async throws {
        try await compute.run(deadline: Self.deadline) { [self] in
            do {
                try state.withLock { try work(&$0) }
            } catch let error as StateError {
                throw error.serviceError
            }
        }
    }
}

/// Pieces that are read by a scan before they go on.
private struct ScannedPieces<Pieces: AsyncSequence>: AsyncSequence where Pieces.Element == ArraySlice<UInt8> {
    let pieces: Pieces
    let scan: CheckpointScan

    struct AsyncIterator: AsyncIteratorProtocol {
        var pieces: Pieces.AsyncIterator
        let scan: CheckpointScan

        mutating func next() async throws -> [UInt8]? {
            guard let piece = try await pieces.next(isolation: #isolation) else {
                try await scan.finish()
                return nil
            }
            try await scan.feed(piece)
            return Array(piece)
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(pieces: pieces.makeAsyncIterator(), scan: scan)
    }
}
