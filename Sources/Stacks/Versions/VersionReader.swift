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
    private static let width = 4

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
        let version = stored.version.version
        return try await objects.readAgain {
            let pieces = try await compute.map(load(stored), weight: stored.weight, deadline: Self.deadline) { part in
                try part.text(version: version)
            }
            return PiecedText(pieces)
        }
    }

    /// The document of a version; its chunks are read side by side.
    ///
    /// - Throws: an error that names the version when stored bytes are damaged.
    package func document(of stored: StoredVersion) async throws -> StateDocument {
        let version = stored.version.version
        do {
            let parts = try await objects.readAgain {
                try await compute.map(load(stored), weight: stored.weight, deadline: Self.deadline) { part in
                    let text = try part.text(version: version)
                    guard case .chunk(let chunk, _) = part else { return ReadPart.text(text) }
                    return try ReadPart(chunk, text: text)
                }
            }
            return try await compute.run(stored.weight, deadline: Self.deadline) { try StateDocument(parts) }
        } catch let error as StateError {
            throw error.serviceError
        }
    }

    /// The checked bytes of neighbours in a pack, joined.
    func bytes(of chunks: [Manifest.Chunk], in stored: StoredVersion) async throws -> [UInt8] {
        let version = stored.version.version
        return try await objects.readAgain {
            let bytes = try await read(chunks, of: stored)
            return try await compute.run(stored.weight, deadline: Self.deadline) {
                for part in try Self.parts(of: chunks, in: bytes, version: version) { try part.check(version: version) }
                return bytes
            }
        }
    }

    /// Checks the stored bytes of stretches, several side by side.
    ///
    /// - Parameter keeps: whether the checked bytes are kept.
    /// - Returns: the bytes of each, nil for a stretch of the manifest itself and where they are not kept.
    func checked(_ stretches: [Stretch], of stored: StoredVersion, keeps: Bool) async throws -> [[UInt8]?] {
        try await each(of: stretches) { stretch in
            guard case .packed(let chunks) = stretch else { return nil }
            let bytes = try await bytes(of: chunks, in: stored)
            return keeps ? bytes : nil
        }
    }

    /// Whether the stored bytes of those chunks are good that a manifest takes over from a version before.
    func isSound(_ manifest: Manifest, over base: StoredVersion) async throws -> Bool {
        var taken = base
        taken.version.manifest.parts = manifest.parts.filter { part in
            if case .chunk(let chunk) = part { chunk.place.pack != Manifest.Place.ownPack } else { false }
        }
        do {
            _ = try await checked(Self.stretches(of: taken), of: taken, keeps: false)
            return true
        } catch let error as ServiceError where error.code != .unavailable {
            return false
        }
    }

    // MARK: - Loading

    /// A part of the manifest with the bytes that belong to it, unchecked.
    private enum Part: Sendable {
        case inline([UInt8])
        case chunk(Manifest.Chunk, stored: ArraySlice<UInt8>)

        func check(version: Int) throws {
            guard case .chunk(let chunk, let stored) = self else { return }
            guard SHA256.hash(stored).bytes == chunk.place.digest else { throw ServiceError.stateBroken(version) }
        }

        func text(version: Int) throws -> ArraySlice<UInt8> {
            try check(version: version)
            switch self {
            case .inline(let text):
                return text[...]
            case .chunk(let chunk, let stored):
                guard let text = try? DeflateRun.text(of: stored, count: chunk.textCount) else {
                    throw ServiceError.stateBroken(version)
                }
                return text[...]
            }
        }
    }

    /// All parts in the order of the text.
    private func load(_ stored: StoredVersion) async throws -> [Part] {
        let loaded = try await each(of: Self.stretches(of: stored)) { try await load($0, of: stored) }
        return Array(loaded.joined())
    }

    /// Reads stretches side by side; gives what came of each in their order.
    private func each<Result: Sendable>(
        of stretches: [Stretch],
        _ read: @escaping @Sendable (Stretch) async throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            var results = [Result?](repeating: nil, count: stretches.count)
            var waiting = stretches.enumerated().makeIterator()
            for _ in 0..<Self.width {
                guard let (index, stretch) = waiting.next() else { break }
                group.addTask { (index, try await read(stretch)) }
            }
            while let (index, result) = try await group.next() {
                results[index] = result
                guard let (index, stretch) = waiting.next() else { continue }
                group.addTask { (index, try await read(stretch)) }
            }
            return results.compactMap(\.self)
        }
    }

    private func load(_ stretch: Stretch, of stored: StoredVersion) async throws -> [Part] {
        switch stretch {
        case .inline(let text):
            [.inline(text)]
        case .packed(let chunks):
            try Self.parts(of: chunks, in: await read(chunks, of: stored), version: stored.version.version)
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
            } catch is StateDamage {
                throw ServiceError.stateBroken(stored.version.version)
            }
        }
    }

    private static func parts(of chunks: [Manifest.Chunk], in bytes: [UInt8], version: Int) throws -> [Part] {
        var offset = 0
        return try chunks.map { chunk in
            let range = offset..<(offset + chunk.place.count)
            guard range.upperBound <= bytes.count else { throw ServiceError.stateBroken(version) }
            offset = range.upperBound
            return .chunk(chunk, stored: bytes[range])
        }
    }

    // MARK: - Stretches

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
