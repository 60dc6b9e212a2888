import CloudAccess
import Crypto
package import Kernel
package import OutboundHTTP

/// Opens containers of Azure Blob Storage.
package enum AzureBlobObjectStore {
    /// Connects, and tries what the server will do: list, write, refuse to replace, read, delete.
    ///
    /// - Throws: `ServiceError` with `.unavailable`, whose message says what the operator can do.
    package static func open(
        _ location: AzureBlobLocation,
        _ authorization: AzureBlobAuthorization,
        client: ServiceClient,
        effects: Effects,
        clock: any Clock<Duration> = ContinuousClock()
    ) async throws -> BucketObjectStore {
        let requests = AzureBlobRequests(location, authorization, client: client, effects: effects)
        let bucket = AzureBlobBucket(requests, clock: clock)
        guard try await BucketProbe.run(bucket, prefix: location.prefix, effects: effects) else {
            throw ServiceError.unavailable("\(bucket.title) replaces a blob that must stay")
        }
        return BucketObjectStore(bucket, prefix: location.prefix, keepsObjects: true, effects: effects)
    }
}
