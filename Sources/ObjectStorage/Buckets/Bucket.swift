import Crypto
import Kernel

/// What the service of a vendor can do with one bucket or container; `BucketObjectStore` makes an object store of it.
///
/// Names are those of keys with the bucket's own prefix before them, made of characters that no vendor changes.
/// Errors are `ServiceError` with `.unavailable`, whose message says what the operator can do.
protocol Bucket: Sendable {
    /// What errors call it, such as `the bucket s3://states`.
    var title: String { get }

    /// Stores a whole object.
    ///
    /// - Parameters:
    ///   - digest: of the bytes; kept beside them, and given to the service to check what arrives.
    ///   - isNew: whether an object that is there must stay. A service may ignore it.
    /// - Returns: false when an object is there already and has stayed.
    func put(_ bytes: [UInt8], as name: String, digest: Digest, onlyNew isNew: Bool) async throws -> Bool

    /// Part of an object, cut to what it has; nil when there is none.
    ///
    /// - Parameter tag: the object must still be the one that had this tag, or `.damaged` is thrown.
    func get(_ name: String, range: Range<Int>, tag: String?) async throws -> BucketPart?

    /// What is known about an object; nil when there is none.
    func head(_ name: String) async throws -> BucketEntry?

    /// Deletes an object; one that is not there is no error.
    func delete(_ name: String) async throws

    /// Objects whose names begin with the prefix.
    func list(prefix: String, after cursor: String?, limit: Int) async throws -> BucketPage

    /// Begins an object that comes in parts; nothing of it can be read before it is completed.
    func begin(_ name: String, digest: Digest?) async throws -> BucketUpload

    /// Sends a part; all but the last have `BucketObjectStore.partSize`.
    ///
    /// - Parameter number: counts from 1.
    /// - Returns: what `complete` needs to know about it.
    func upload(_ bytes: [UInt8], number: Int, of upload: BucketUpload) async throws -> String

    /// Makes one object of the parts, in order.
    func complete(_ upload: BucketUpload, parts: [String]) async throws

    /// Gives up an object in parts, and what was sent of it.
    func abort(_ upload: BucketUpload) async throws

    /// Copies an object inside the bucket.
    func copy(_ name: String, to other: String, digest: Digest) async throws

    /// A URL that permits one access until it ends; nil when this server cannot sign.
    func signedURL(to access: SignedAccess, _ name: String, for life: Duration) async throws -> SignedURL?

    /// Uploads in parts that began before a time and were neither completed nor aborted.
    func unfinishedUploads(before time: Timestamp) async throws -> [BucketUpload]
}

/// Part of an object, and what it belongs to.
struct BucketPart: Sendable {
    let bytes: [UInt8]
    let entry: BucketEntry
}

/// What a bucket says about an object.
struct BucketEntry: Sendable {
    let size: Int
    /// Changes with the content.
    let tag: String
    /// What `put` was given; nil when somebody else has stored the object, or it came in parts of a stream.
    let digest: Digest?
}

/// One page of a list.
struct BucketPage: Sendable {
    struct Item: Sendable {
        let name: String
        let size: Int
        let stored: Timestamp
    }

    let items: [Item]
    /// Asks for the next page; nil after the last one.
    let next: String?
}

/// An object that comes in parts.
struct BucketUpload: Sendable {
    let name: String
    /// The service's own; empty where it has none.
    let id: String
}
