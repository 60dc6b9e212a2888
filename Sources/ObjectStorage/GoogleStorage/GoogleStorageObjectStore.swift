package import CloudAccess
package import Kernel
package import OutboundHTTP

/// Opens buckets of Google Cloud Storage.
package enum GoogleStorageObjectStore {
    /// Connects, and tries what the server will do: list, write, refuse to replace, read, delete.
    ///
    /// - Throws: `ServiceError` with `.unavailable`, whose message says what the operator can do.
    package static func open(
        _ location: GoogleStorageLocation,
        _ authorization: GoogleStorageAuthorization,
        signer: GoogleURLSigner? = nil,
        client: ServiceClient,
        effects: Effects
    ) async throws -> BucketObjectStore {
        let requests = GoogleStorageRequests(
            location,
            authorization,
            signer: signer,
            client: client,
            effects: effects
        )
        let bucket = GoogleStorageBucket(requests)
        guard try await BucketProbe.run(bucket, prefix: location.prefix, effects: effects) else {
            throw ServiceError.unavailable("\(bucket.title) replaces an object that must stay")
        }
        return BucketObjectStore(bucket, prefix: location.prefix, keepsObjects: true, effects: effects)
    }
}
