package import CloudAccess
package import Kernel
package import OutboundHTTP

/// Opens buckets of S3.
package enum S3ObjectStore {
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
            keeps = try await BucketProbe.run(careful, prefix: location.prefix, effects: effects)
        } catch let error as ServiceError where (error.cause as? S3Failure)?.isUnknownHeader == true {
            // Without conditions it works, or says what else is wrong.
            let plain = S3Bucket(location, requests, sendsConditions: false)
            keeps = try await BucketProbe.run(plain, prefix: location.prefix, effects: effects)
        }
        return BucketObjectStore(
            S3Bucket(location, requests, sendsConditions: keeps),
            prefix: location.prefix,
            keepsObjects: keeps,
            effects: effects
        )
    }
}
