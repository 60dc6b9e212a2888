import Crypto
package import Kernel

extension BucketObjectStore {
    package func get(_ key: ObjectKey) async throws -> [UInt8] {
        try await twice {
            let first = try await part(key, 0..<Self.partSize, tag: nil)
            let rest = try await read(
                key,
                first.bytes.count..<max(first.bytes.count, first.entry.size),
                first.entry.tag
            )
            let bytes = rest.isEmpty ? first.bytes : first.bytes + rest
            guard bytes.count == first.entry.size else { throw Self.damaged(key) }
            if let expected = key.contentDigest ?? first.entry.digest, SHA256.hash(bytes) != expected {
                throw Self.damaged(key)
            }
            return bytes
        }
    }

    package func get(_ key: ObjectKey, range: Range<Int>) async throws -> [UInt8] {
        // All of it is needed to know that a part of it is right.
        if key.contentDigest != nil {
            let bytes = try await get(key)
            return Array(bytes[range.clamped(to: 0..<bytes.count)])
        }
        guard let first = range.first else {
            guard try await bucket.head(name(key)) != nil else { throw Self.missing(key) }
            return []
        }
        let start = try await part(key, first..<min(range.upperBound, first + Self.partSize), tag: nil)
        let wanted = range.clamped(to: 0..<start.entry.size)
        let rest = try await read(
            key,
            (first + start.bytes.count)..<max(wanted.upperBound, first + start.bytes.count),
            start.entry.tag
        )
        guard start.bytes.count + rest.count == wanted.count else { throw Self.damaged(key) }
        return rest.isEmpty ? start.bytes : start.bytes + rest
    }

    /// An object of more than one part is read twice: what was not checked as a whole is not given out.
    package func stream(_ key: ObjectKey) async throws -> ObjectStream {
        let first = try await part(key, 0..<Self.partSize, tag: nil)
        let entry = first.entry
        let expected = key.contentDigest ?? entry.digest
        if entry.size <= Self.partSize {
            let isWhole = first.bytes.count == entry.size && expected.map { SHA256.hash(first.bytes) == $0 } ?? true
            let bytes = isWhole ? first.bytes : try await get(key)
            let once = Locked<[UInt8]?>(bytes.isEmpty ? nil : bytes)
            return ObjectStream(size: bytes.count) {
                once.withLock { bytes in
                    defer { bytes = nil }
                    return bytes
                }
            }
        }
        if let expected {
            try await twice {
                guard try await hash(name(key), entry) == expected else { throw Self.damaged(key) }
            }
        }
        let cursor = BucketCursor(expected: expected, size: entry.size)
        return ObjectStream(size: entry.size) {
            guard let range = cursor.next else { return nil }
            let piece = try await part(key, range, tag: entry.tag)
            guard piece.bytes.count == range.count, cursor.take(piece.bytes) else { throw Self.damaged(key) }
            return piece.bytes
        }
    }

    /// The hash of an object's content, whose memory does not grow with it.
    func hash(_ name: String, _ entry: BucketEntry) async throws -> Digest {
        let cursor = BucketCursor(expected: nil, size: entry.size)
        while let range = cursor.next {
            guard let piece = try await bucket.get(name, range: range, tag: entry.tag), piece.bytes.count == range.count
            else { throw ServiceError(.damaged, "An object has changed while it was read") }
            _ = cursor.take(piece.bytes)
        }
        return cursor.digest()
    }

    // MARK: - Pieces

    private func part(_ key: ObjectKey, _ range: Range<Int>, tag: String?) async throws -> BucketPart {
        guard let part = try await bucket.get(name(key), range: range, tag: tag) else { throw Self.missing(key) }
        return part
    }

    /// A range in parts, a few at a time.
    private func read(_ key: ObjectKey, _ range: Range<Int>, _ tag: String) async throws -> [UInt8] {
        let starts = Array(stride(from: range.lowerBound, to: range.upperBound, by: Self.partSize))
        if starts.isEmpty { return [] }
        return try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
            var parts: [Int: [UInt8]] = [:]
            for (index, start) in starts.enumerated() {
                if index >= Self.width, let read = try await group.next() { parts[read.0] = read.1 }
                let piece = start..<min(start + Self.partSize, range.upperBound)
                group.addTask { (start, try await part(key, piece, tag: tag).bytes) }
            }
            for try await read in group { parts[read.0] = read.1 }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(range.count)
            for start in starts { bytes += parts[start] ?? [] }
            return bytes
        }
    }

    /// Bytes that fail their check are read once more before the object is called damaged.
    private func twice<Value>(_ read: () async throws -> Value) async throws -> Value {
        do {
            return try await read()
        } catch let error as ServiceError where error.code == .damaged {
            return try await read()
        }
    }

    private static func missing(_ key: ObjectKey) -> ServiceError {
        ServiceError(.notFound, "The object \(key) does not exist")
    }

    private static func damaged(_ key: ObjectKey) -> ServiceError {
        ServiceError(.damaged, "The stored object \(key) is damaged")
    }
}

/// Where a stream is in its object, and the hash of what was read.
private final class BucketCursor: Sendable {
    private struct State: ~Copyable {
        var offset = 0
        var hash = SHA256()
    }

    private let expected: Digest?
    private let size: Int
    private let state = Locked(State())

    init(expected: Digest?, size: Int) {
        self.expected = expected
        self.size = size
    }

    /// The next range; nil at the end.
    var next: Range<Int>? {
        let offset = state.withLock { $0.offset }
        return offset < size ? offset..<min(offset + BucketObjectStore.partSize, size) : nil
    }

    /// Goes on behind these bytes; false when they were the last and the whole is not what was expected.
    func take(_ bytes: [UInt8]) -> Bool {
        state.withLock { state in
            state.offset += bytes.count
            state.hash.update(bytes)
            guard let expected, state.offset == size else { return true }
            return state.hash.finish() == expected
        }
    }

    func digest() -> Digest {
        state.withLock { $0.hash.finish() }
    }
}
