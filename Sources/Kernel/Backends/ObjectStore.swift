/// Where large bytes live: a folder, a bucket.
///
/// Objects never change: they are written whole, read, and deleted. What is acknowledged is durable, the name included;
/// what is not acknowledged is there whole or not at all. A row that names an object is committed after the object was
/// acknowledged, and deleted before it (`reliability-security.md` D3).
///
/// An object whose key names its content is checked on every read: bytes that fail are never given out.
///
/// Errors are `ServiceError`: `.notFound` for an object that is not there, `.unavailable` when the store cannot be
/// reached, is full or is read-only, `.conflict` for another content under a key that is taken, `.damaged` for content
/// that is not what its key says.
package protocol ObjectStore: Sendable {
    /// Stores the object.
    ///
    /// An object with the same key and the same content may be there already.
    func put(_ bytes: [UInt8], as key: ObjectKey) async throws

    /// Stores objects together, which costs less than one after the other.
    ///
    /// After an error some of them may be there.
    func putAll(_ objects: [NewObject]) async throws

    /// Stores what arrives in pieces; memory does not grow with it.
    ///
    /// - Returns: the size.
    @discardableResult
    func put<Body: AsyncSequence>(_ body: Body, as key: ObjectKey) async throws -> Int where Body.Element == [UInt8]

    /// Stores what arrives in pieces under the name of its content.
    func putContent<Body: AsyncSequence>(_ body: Body, in folder: ObjectFolder) async throws -> StoredContent
    where Body.Element == [UInt8]

    /// The whole object.
    func get(_ key: ObjectKey) async throws -> [UInt8]

    /// Part of the object.
    ///
    /// - Parameter range: cut to what the object has.
    func get(_ key: ObjectKey, range: Range<Int>) async throws -> [UInt8]

    /// The object in pieces; content is checked before the first piece is given out.
    func stream(_ key: ObjectKey) async throws -> ObjectStream

    /// The size of the object; nil when it is not there.
    func size(of key: ObjectKey) async throws -> Int?

    /// Deletes objects; those that are not there are no error.
    func delete(_ keys: [ObjectKey]) async throws

    /// The objects below a folder, each of them once, in an order of the store's own.
    ///
    /// What is stored or deleted while the pages are read may be there or not.
    ///
    /// - Parameters:
    ///   - folder: nil for everything.
    ///   - cursor: `next` of the page before; nil for the first.
    ///   - limit: the most objects of one page.
    func list(in folder: ObjectFolder?, after cursor: String?, limit: Int) async throws -> ObjectPage

    /// A URL with which whoever has it may read or store one object, without this server, until it ends.
    ///
    /// What is stored so is not checked; read it back before a row names it.
    ///
    /// - Parameter life: whole seconds, at most `SignedURL.longestLife`.
    /// - Returns: nil where there is none: a folder, a bucket that is reached without an identity or with a signature. The
    ///   server passes the bytes on itself then.
    /// - Throws: `.unavailable` where the service refuses this server's identity the right to sign, or is away.
    func signedURL(to access: SignedAccess, _ key: ObjectKey, for life: Duration) async throws -> SignedURL?

    /// Removes what writers have left behind that never became an object, now and then.
    ///
    /// - Parameter time: what began before it is nobody's any more.
    /// - Returns: how much it was.
    func sweepUnfinished(before time: Timestamp) async throws -> Int
}

/// What permits one access to one object.
package struct SignedURL: Sendable {
    /// The longest that every store can promise.
    ///
    /// Google's own keys of its accounts verify what they signed for at least twelve hours, and may be gone then.
    package static let longestLife = Duration.seconds(12 * 3600)

    /// As good as a password until it ends.
    package let url: Redacted<String>
    /// What must be sent with it.
    package let headers: [(name: String, value: String)]

    package init(_ url: String, headers: [(name: String, value: String)] = []) {
        self.url = Redacted(url)
        self.headers = headers
    }
}

/// What a signed URL permits.
package enum SignedAccess: String, Sendable, CaseIterable {
    case get = "GET"
    case put = "PUT"
}

extension ObjectStore {
    package func signedURL(
        to access: SignedAccess,
        _ key: ObjectKey,
        for life: Duration
    ) async throws -> SignedURL? {
        nil
    }
}

/// One object that is to be stored.
package struct NewObject: Sendable {
    package let key: ObjectKey
    package let bytes: [UInt8]

    package init(key: ObjectKey, bytes: [UInt8]) {
        self.key = key
        self.bytes = bytes
    }
}

/// Where content went, and how much it was.
package struct StoredContent: Sendable, Equatable {
    package let key: ObjectKey
    package let size: Int

    package init(key: ObjectKey, size: Int) {
        self.key = key
        self.size = size
    }
}

/// What a list says of an object.
package struct ObjectInfo: Sendable, Equatable {
    package let key: ObjectKey
    package let size: Int
    /// When it was stored, by the store's clock.
    package let stored: Timestamp

    package init(key: ObjectKey, size: Int, stored: Timestamp) {
        self.key = key
        self.size = size
        self.stored = stored
    }
}

/// One page of a list.
package struct ObjectPage: Sendable {
    package let objects: [ObjectInfo]
    /// Asks for the next page; nil after the last one.
    package let next: String?

    package init(objects: [ObjectInfo], next: String?) {
        self.objects = objects
        self.next = next
    }
}

/// An object in pieces, to be read once.
package struct ObjectStream: AsyncSequence, Sendable {
    /// The size of the whole object.
    package let size: Int
    private let read: @Sendable () async throws -> [UInt8]?

    /// - Parameter read: gives the next piece, nil after the last.
    package init(size: Int, read: @escaping @Sendable () async throws -> [UInt8]?) {
        self.size = size
        self.read = read
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(read: read)
    }

    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let read: @Sendable () async throws -> [UInt8]?

        package mutating func next() async throws -> [UInt8]? {
            try await read()
        }
    }
}

extension ServiceError.Code {
    /// Stored bytes are not what their name says; someone must act.
    package static let damaged = Self("damaged")
}
