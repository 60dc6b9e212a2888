/// Pieces that are all at hand, for what takes them as they arrive.
struct AsyncPieces<Element: Sendable>: AsyncSequence, Sendable {
    private let pieces: [Element]

    init(_ pieces: [Element]) {
        self.pieces = pieces
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        var pieces: IndexingIterator<[Element]>

        mutating func next() async -> Element? {
            pieces.next()
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(pieces: pieces.makeIterator())
    }
}

/// A sequence whose beginning was looked at already, to be read once.
struct Continued<Rest: AsyncIteratorProtocol>: AsyncSequence {
    let first: Rest.Element
    let rest: Rest

    struct AsyncIterator: AsyncIteratorProtocol {
        var first: Rest.Element?
        var rest: Rest

        mutating func next() async throws -> Rest.Element? {
            if let first = first.take() { return first }
            return try await rest.next(isolation: #isolation)
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(first: first, rest: rest)
    }
}
