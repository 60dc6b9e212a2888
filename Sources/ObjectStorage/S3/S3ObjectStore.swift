package import CloudAccess
package import Kernel
package import OutboundHTTP

/// Opens buckets of S3.
package enum S3ObjectStore {
    private enum Probe {}

    /// Connects, and tries what the server will do: list, write, refuse to replace, read, delete.
    ///
    /// - Throws: `ServiceError` with `.unavailable`, whose message says what the operator can do.
    package static func open(
        _ location: S3Location,
        credentials: any AWSCredentialSource,
        client: ServiceClient,
        effects: Effects
    ) async throws -> BucketObjectStore {
        let requests = S3Requests(location, credentials: credentials, client: client, effects: effects)
        let careful = S3Bucket(location, requests, sendsConditions: true)
        let keeps: Bool
        do {
            keeps = try await probe(careful, location, effects)
        } catch let error as ServiceError where (error.cause as? S3Failure)?.isUnknownHeader == true {
            // Without conditions it works, or says what else is wrong.
            keeps = try await probe(S3Bucket(location, requests, sendsConditions: false), location, effects)
        }
        return BucketObjectStore(
            S3Bucket(location, requests, sendsConditions: keeps),
            prefix: location.prefix,
            keepsObjects: keeps,
            effects: effects
        )
    }

    private static func probe(_ bucket: S3Bucket, _ location: S3Location, _ effects: Effects) async throws -> Bool {
        try await BucketProbe.run(bucket, name: "\(location.prefix)\(BucketProbe.folder)\(effects.id(Probe.self))")
    }
}
