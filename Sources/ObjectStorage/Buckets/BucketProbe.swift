import Crypto
import Kernel

/// Tries at the start what a bucket will be asked for, so that what is not permitted shows then.
enum BucketProbe {
    /// Where the object lies that is tried with; no key begins like this.
    private static let folder = ".probe/"

    /// - Parameter prefix: what comes before every name.
    /// - Returns: whether the bucket refuses to replace an object when it is asked to.
    static func run(_ bucket: any Bucket, prefix: String, effects: Effects) async throws -> Bool {
        let name = "\(prefix)\(folder)\(effects.id(BucketProbe.self))"
        let bytes = Array("cairn".utf8)
        let digest = SHA256.hash(bytes)
        // First, because some services make a bucket for whoever writes.
        _ = try await bucket.list(prefix: name, after: nil, limit: 1)
        // lint: failpoint because nothing depends on the object that is tried with
        _ = try await bucket.put(bytes, as: name, digest: digest, onlyNew: false)
        guard try await bucket.get(name, range: 0..<bytes.count, tag: nil)?.bytes == bytes else {
            throw ServiceError.unavailable("\(bucket.title) does not give back what was stored in it")
        }
        // lint: failpoint because nothing depends on the object that is tried with
        let keeps = try await !bucket.put(bytes, as: name, digest: digest, onlyNew: true)
        // lint: failpoint because nothing depends on the object that is tried with
        try await bucket.delete(name)
        return keeps
    }
}
