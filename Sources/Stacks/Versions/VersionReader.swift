import Compression
import Crypto
package import Kernel
package import StateStore

/// Reads stored versions.
///
/// Each chunk's stored bytes are checked against their SHA-256 before anything of them is given out.
package struct VersionReader: Sendable {
    private static let deadline = Duration.seconds(60)
    /// Neighbours in a pack are read together up to so many bytes.
    private static let stretch = 1 << 20
    /// So many stretches are read side by side.
    private static let width = 2

    private let objects: StateObjects
    private let compute: BlockingPool

    package init(objects: StateObjects, compute: BlockingPool) {
        self.objects = objects
        self.compute = compute
    }

    /// The text of a version, in pieces that begin and end with elements.
    ///
    /// - Throws: an error that names the version when stored bytes are damaged.
    package func text(of stored: StoredVersion) async throws -> PiecedText {
        let stretches = Self.stretches(of: stored)
        var texts = [[ArraySlice<UInt8>]](repeating: [], count: stretches.count)
        try await withThrowingTaskGroup(of: (Int, [ArraySlice<UInt8>]).self) { group in
            var waiting = stretches.enumerated().makeIterator()
            func start(_ group: inout ThrowingTaskGroup<(Int, [ArraySlice<UInt8>]), any Error>) {
                guard let (index, stretch) = waiting.next() else { return }
                group.addTask { (index, try await text(of: stretch, in: stored)) }
            }
            for _ in 0..<Self.width { start(&group) }
            while let (index, pieces) = try await group.next() {
                texts[index] = pieces
                start(&group)
            }
        }
        return PiecedText(Array(texts.joined()))
    }

    private func text(of stretch: Stretch, in stored: StoredVersion) async throws -> [ArraySlice<UInt8>] {
        switch stretch {
        case .inline(let text):
            return [text[...]]
        case .packed(let chunks):
            let bytes = try await read(chunks, of: stored)
            let version = stored.version.version
            return try await compute.run(deadline: Self.deadline) {
                try Self.runs(of: chunks, in: bytes, version: version).map { run in
                    guard let text = try? run.text() else { throw ServiceError.stateBroken(version) }
                    return text[...]
                }
            }
        }
    }

    /// The checked bytes of neighbours in a pack, joined.
    func bytes(of chunks: [Manifest.Chunk], in stored: StoredVersion) async throws -> [UInt8] {
        let bytes = try await read(chunks, of: stored)
        let version = stored.version.version
        return try await compute.run(deadline: Self.deadline) {
            _ = try Self.runs(of: chunks, in: bytes, version: version)
            return bytes
        }
    }

    private func read(_ chunks: [Manifest.Chunk], of stored: StoredVersion) async throws -> [UInt8] {
        guard let first = chunks.first?.place, let last = chunks.last?.place, let pack = stored.packs[first.pack] else {
            throw ServiceError.stateBroken(stored.version.version)
        }
        let range = first.offset..<(last.offset + last.count)
        switch pack {
        case .row(let bytes):
            guard range.upperBound <= bytes.count else { throw ServiceError.stateBroken(stored.version.version) }
            return Array(bytes[range])
        case .object(let key):
            do {
                return try await objects.get(key, range: range)
            } catch let error as ServiceError where error.code != .unavailable {
                throw ServiceError.stateBroken(stored.version.version)
            }
        }
    }

    private static func runs(
        of chunks: [Manifest.Chunk],
        in bytes: [UInt8],
        version: Int
    ) throws -> [DeflateRun] {
        var offset = 0
        return try chunks.map { chunk in
            let end = offset + chunk.place.count
            guard end <= bytes.count else { throw ServiceError.stateBroken(version) }
            let run = bytes[offset..<end]
            guard SHA256.hash(run).bytes == chunk.place.digest else { throw ServiceError.stateBroken(version) }
            offset = end
            return DeflateRun(bytes: Array(run), crc: chunk.crc, textCount: chunk.textCount)
        }
    }

    /// Text of the manifest itself, or neighbours in a pack.
    enum Stretch: Sendable {
        case inline([UInt8])
        /// Chunks one after the other, in the text and in one pack.
        case packed([Manifest.Chunk])

        /// Stored bytes.
        var count: Int {
            switch self {
            case .inline(let text): text.count
            case .packed(let chunks): chunks.reduce(0) { $0 + $1.place.count }
            }
        }
    }

    static func stretches(of stored: StoredVersion) -> [Stretch] {
        var stretches: [Stretch] = []
        var chunks: [Manifest.Chunk] = []
        var count = 0
        func flush() {
            if !chunks.isEmpty { stretches.append(.packed(chunks)) }
            chunks = []
            count = 0
        }
        for part in stored.version.manifest.parts {
            switch part {
            case .inline(let text):
                flush()
                stretches.append(.inline(text))
            case .chunk(let chunk):
                if let last = chunks.last?.place {
                    let isNext = chunk.place.pack == last.pack && chunk.place.offset == last.offset + last.count
                    if !isNext || count + chunk.place.count > stretch { flush() }
                }
                chunks.append(chunk)
                count += chunk.place.count
            }
        }
        flush()
        return stretches
    }
}
