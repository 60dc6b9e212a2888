import Crypto
package import Kernel

/// Objects in a bucket of any vendor.
///
/// What is not larger than a part goes in one request, which the service answers when it is durable. Larger objects go in
/// parts; nothing of them can be read before all are there. Every whole read is compared with the hash that the key or
/// the object itself names.
///
/// Source: `design/state-storage.md`, `design/reliability-security.md` D3, D7.
package struct BucketObjectStore: ObjectStore {
    /// The most bytes of one request.
    static let partSize = 8 << 20
    /// How many requests one call makes at a time.
    static let width = 4
    /// Where content waits whose name is known only at its end; no key begins like this.
    static let incoming = ".incoming/"

    let bucket: any Bucket
    private let prefix: String
    /// Whether the service refuses to replace an object when it is asked to.
    private let keepsObjects: Bool
    private let effects: Effects

    init(_ bucket: any Bucket, prefix: String, keepsObjects: Bool, effects: Effects) {
        self.bucket = bucket
        self.prefix = prefix
        self.keepsObjects = keepsObjects
        self.effects = effects
    }

    // MARK: - Writing

    package func put(_ bytes: [UInt8], as key: ObjectKey) async throws {
        if bytes.count > Self.partSize {
            try await put(WholeBody(bytes: bytes), as: key)
            return
        }
        let digest = SHA256.hash(bytes)
        try Self.check(digest, key)
        try await put(bytes, digest, as: key)
    }

    package func putAll(_ objects: [NewObject]) async throws {
        try await Self.forEach(objects, width: 2 * Self.width) { try await put($0.bytes, as: $0.key) }
    }

    @discardableResult
    package func put<Body: AsyncSequence>(_ body: Body, as key: ObjectKey) async throws -> Int
    where Body.Element == [UInt8] {
        var reader = PartReader(body, partSize: Self.partSize)
        let first = try await reader.next() ?? []
        guard first.count == Self.partSize else {
            let digest = reader.digest()
            try Self.check(digest, key)
            try await put(first, digest, as: key)
            return first.count
        }
        let upload = try await bucket.begin(name(key), digest: key.contentDigest)
        _ = try await send(first, &reader, upload) { digest, size in
            try Self.check(digest, key)
            return try await !isThere(key, digest, size)
        }
        return reader.size
    }

    package func putContent<Body: AsyncSequence>(_ body: Body, in folder: ObjectFolder) async throws -> StoredContent
    where Body.Element == [UInt8] {
        var reader = PartReader(body, partSize: Self.partSize)
        let first = try await reader.next() ?? []
        if first.count < Self.partSize {
            let digest = reader.digest()
            let key = folder.content(digest)
            try await put(first, digest, as: key)
            return StoredContent(key: key, size: first.count)
        }
        let waiting = "\(prefix)\(Self.incoming)\(effects.id(Incoming.self))"
        let upload = try await bucket.begin(waiting, digest: nil)
        let digest = try await send(first, &reader, upload) { _, _ in true }
        let key = folder.content(digest)
        if try await !isThere(key, digest, reader.size) {
            try await bucket.copy(waiting, to: name(key), digest: digest)
        }
        // lint: failpoint because what stays is swept
        try await bucket.delete(waiting)
        return StoredContent(key: key, size: reader.size)
    }

    package func delete(_ keys: [ObjectKey]) async throws {
        try await Self.forEach(keys, width: 2 * Self.width) { key in
            try Failpoint.reach(.bucketDelete)
            try await bucket.delete(name(key))
            try Failpoint.reach(.bucketDeleted)
        }
    }

    package func sweepUnfinished(before time: Timestamp) async throws -> Int {
        var count = 0
        for upload in try await bucket.unfinishedUploads(before: time) where upload.name.hasPrefix(prefix) {
            try await bucket.abort(upload)
            count += 1
        }
        var cursor: String?
        repeat {
            let page = try await bucket.list(prefix: prefix + Self.incoming, after: cursor, limit: 1000)
            for item in page.items where item.stored < time {
                // lint: failpoint because it is nobody's, before as well as after
                try await bucket.delete(item.name)
                count += 1
            }
            cursor = page.next
        } while cursor != nil
        return count
    }

    // MARK: - Listing

    package func size(of key: ObjectKey) async throws -> Int? {
        try await bucket.head(name(key))?.size
    }

    package func signedURL(
        to access: SignedAccess,
        _ key: ObjectKey,
        for life: Duration
    ) async throws -> SignedURL? {
        guard life >= .seconds(1), life <= SignedURL.longestLife, life.components.attoseconds == 0 else {
            throw ServiceError.invalid("life", "a signed URL lives for whole seconds, and for twelve hours at most")
        }
        return try await bucket.signedURL(to: access, name(key), for: life)
    }

    package func list(in folder: ObjectFolder?, after cursor: String?, limit: Int) async throws -> ObjectPage {
        guard cursor?.hasPrefix(Self.cursorMark) ?? true else {
            throw ServiceError.invalid("cursor", "is not one of this list")
        }
        let page = try await bucket.list(
            prefix: prefix + (folder.map { "\($0)/" } ?? ""),
            after: cursor.map { String($0.dropFirst(Self.cursorMark.count)) },
            limit: min(limit, 1000)
        )
        let objects = page.items.compactMap { item in
            ObjectKey(String(item.name.dropFirst(prefix.count))).map {
                ObjectInfo(key: $0, size: item.size, stored: item.stored)
            }
        }
        return ObjectPage(objects: objects, next: page.next.map { Self.cursorMark + $0 })
    }

    private static let cursorMark = "after:"

    // MARK: - Pieces

    private enum Incoming {}

    func name(_ key: ObjectKey) -> String {
        prefix + key.description
    }

    private static func check(_ digest: Digest, _ key: ObjectKey) throws {
        if let named = key.contentDigest, named != digest {
            throw ServiceError(.internalError, "The object does not have the content that its key names")
        }
    }

    private func put(_ bytes: [UInt8], _ digest: Digest, as key: ObjectKey) async throws {
        if !keepsObjects, key.contentDigest == nil, try await isThere(key, digest, bytes.count) { return }
        try Failpoint.reach(.bucketPut)
        let isNew = try await bucket.put(bytes, as: name(key), digest: digest, onlyNew: true)
        try Failpoint.reach(.bucketPutDone)
        if isNew { return }
        if try await isThere(key, digest, bytes.count) { return }
        // It was deleted in between, or is not the content that its name says: the right one may take its place.
        // lint: failpoint because it is the same step as above, once more
        guard try await bucket.put(bytes, as: name(key), digest: digest, onlyNew: key.contentDigest == nil) else {
            throw Self.conflict
        }
    }

    /// Whether the key has this content already.
    ///
    /// - Throws: `.conflict` when it has another one, unless the key says that it cannot be right.
    private func isThere(_ key: ObjectKey, _ digest: Digest, _ size: Int) async throws -> Bool {
        guard let entry = try await bucket.head(name(key)) else { return false }
        var found = entry.digest
        if entry.size == size, found == nil { found = try await hash(name(key), entry) }
        if entry.size == size, found == digest { return true }
        if key.contentDigest != nil { return false }
        throw Self.conflict
    }

    /// Sends all parts, a few at a time, and completes the object.
    ///
    /// - Parameter mayComplete: asked with the hash and the size of everything; false gives up what was sent, since it is not needed.
    /// - Returns: that hash.
    private func send<Body: AsyncSequence>(
        _ first: [UInt8],
        _ reader: inout PartReader<Body>,
        _ upload: BucketUpload,
        _ mayComplete: (Digest, Int) async throws -> Bool
    ) async throws -> Digest where Body.Element == [UInt8] {
        do {
            let parts = try await withThrowingTaskGroup(of: (Int, String).self) { group in
                var tags: [Int: String] = [:]
                var part: [UInt8]? = first
                var number = 0
                while let bytes = part {
                    number += 1
                    if number > Self.width, let sent = try await group.next() { tags[sent.0] = sent.1 }
                    group.addTask { [bucket, number] in
                        try Failpoint.reach(.bucketPart)
                        let tag = try await bucket.upload(bytes, number: number, of: upload)
                        try Failpoint.reach(.bucketPartDone)
                        return (number, tag)
                    }
                    part = try await reader.next()
                }
                for try await sent in group { tags[sent.0] = sent.1 }
                return tags.sorted { $0.key < $1.key }.map(\.value)
            }
            let digest = reader.digest()
            if try await mayComplete(digest, reader.size) {
                try Failpoint.reach(.bucketComplete)
                try await bucket.complete(upload, parts: parts)
                try Failpoint.reach(.bucketCompleted)
            } else {
                try await bucket.abort(upload)
            }
            return digest
        } catch {
            // What cannot be given up now is swept later.
            try? await bucket.abort(upload)
            throw error
        }
    }

    /// Does something for all items, a few at a time.
    private static func forEach<Item: Sendable>(
        _ items: [Item],
        width: Int,
        _ body: @escaping @Sendable (Item) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, item) in items.enumerated() {
                if index >= width { try await group.next() }
                group.addTask { try await body(item) }
            }
            try await group.waitForAll()
        }
    }

    private static let conflict = ServiceError(.conflict, "Another object has this key already")
}
