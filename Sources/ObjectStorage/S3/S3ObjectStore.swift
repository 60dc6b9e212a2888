package import CloudAccess
import Crypto
package import Kernel
package import OutboundHTTP

/// Opens buckets of S3.
package enum S3ObjectStore {
    private enum Probe {}

    /// Connects, and tries what the server will do: write, refuse to replace, read, list, delete.
    ///
    /// - Throws: `ServiceError` with `.unavailable`, whose message says what the operator can do.
    package static func open(
        _ location: S3Location,
        credentials: any AWSCredentialSource,
        client: ServiceClient,
        effects: Effects
    ) async throws -> BucketObjectStore {
        let requests = S3Requests(location, credentials: credentials, client: client, effects: effects)
        let keeps = try await probe(
            S3Bucket(location, requests, sendsConditions: true),
            S3Bucket(location, requests, sendsConditions: false),
            effects
        )
        return BucketObjectStore(
            S3Bucket(location, requests, sendsConditions: keeps),
            prefix: location.prefix,
            keepsObjects: keeps,
            effects: effects
        )
    }

    /// Whether the service heeds `If-None-Match`: some ignore it, some refuse it.
    private static func probe(_ careful: S3Bucket, _ plain: S3Bucket, _ effects: Effects) async throws -> Bool {
        let name = "\(careful.location.prefix).probe/\(effects.id(Probe.self))"
        let bytes = Array("cairn".utf8)
        let digest = SHA256.hash(bytes)
        // First, because some services make a bucket for whoever writes.
        _ = try await plain.list(prefix: name, after: nil, limit: 1)
        _ = try await plain.put(bytes, as: name, digest: digest, onlyNew: false)
        let part = try await plain.get(name, range: 0..<bytes.count, tag: nil)
        guard part?.bytes == bytes else {
            throw ServiceError.unavailable("\(plain.title) does not give back what was stored in it")
        }
        let keeps: Bool
        do {
            keeps = try await !careful.put(bytes, as: name, digest: digest, onlyNew: true)
        } catch let error as ServiceError where error.cause is S3Failure {
            keeps = false
        }
        try await plain.delete(name)
        return keeps
    }
}
