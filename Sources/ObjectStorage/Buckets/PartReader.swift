import Crypto

/// Cuts what arrives in pieces into parts of one size, and hashes it on the way.
struct PartReader<Body: AsyncSequence>: ~Copyable where Body.Element == [UInt8] {
    private var pieces: Body.AsyncIterator
    private var rest: ArraySlice<UInt8> = []
    private var hash = SHA256()
    private let partSize: Int
    /// The bytes of all parts that were given out.
    private(set) var size = 0

    init(_ body: Body, partSize: Int) {
        pieces = body.makeAsyncIterator()
        self.partSize = partSize
    }

    /// The next part, shorter than the others when it is the last one; nil behind that.
    mutating func next() async throws -> [UInt8]? {
        var part: [UInt8] = []
        while part.count < partSize {
            if rest.isEmpty {
                guard let piece = try await pieces.next(isolation: #isolation) else { break }
                if part.isEmpty, piece.count == partSize {
                    part = piece
                    continue
                }
                rest = piece[...]
            }
            if part.isEmpty { part.reserveCapacity(min(partSize, max(rest.count, 1 << 16))) }
            let taken = rest.prefix(partSize - part.count)
            part += taken
            rest = rest.dropFirst(taken.count)
        }
        if part.isEmpty { return nil }
        hash.update(part)
        size += part.count
        return part
    }

    /// The hash of everything that was given out; the reader is used up.
    mutating func digest() -> Digest {
        hash.finish()
    }
}

/// Bytes as a body of one piece.
struct WholeBody: AsyncSequence, Sendable {
    let bytes: [UInt8]

    func makeAsyncIterator() -> Iterator {
        Iterator(bytes: bytes)
    }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate var bytes: [UInt8]?

        mutating func next() async throws -> [UInt8]? {
            defer { bytes = nil }
            return bytes
        }
    }
}
