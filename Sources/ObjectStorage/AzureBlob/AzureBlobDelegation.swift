import CloudAccess
import Kernel
import OutboundHTTP
import Transfers

/// Keeps a key with which an identity signs URLs of one container's blobs, and has a new one in time.
struct AzureBlobDelegation: Sendable {
    /// How long a key is asked for: long enough for an outage of half a night, and short enough that an operator who
    /// revokes all keys has URLs again the next day.
    private static let life = Duration.seconds(36 * 3600)
    /// How far the clocks of the service and of this machine may be apart.
    private static let skew = Duration.seconds(15 * 60)
    private static let patience = ServiceClient.Patience(ofBucket: "POST", body: 64 << 10)
    /// What the identity must be permitted, as the vendor names it, and how an operator gives it.
    private static let permission =
        "the action Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey, which the role "
        + "'Storage Blob Delegator' has, on the storage account"

    private let title: String
    private let renewed: Renewed<AzureDelegationKey>

    /// Nothing is asked for before the first URL is signed.
    ///
    /// - Parameter token: gives a bearer token that is good for a while.
    init(
        _ location: AzureBlobLocation,
        title: String,
        token: @escaping @Sendable () async throws -> Redacted<String>,
        client: ServiceClient,
        effects: Effects
    ) {
        self.title = title
        renewed = Renewed("the key for URLs of \(title)", effects: effects, margin: Self.life / 6) {
            let response = try await client.send(to: title, Self.patience) {
                let now = effects.now()
                let start = now.advanced(by: .zero - Self.skew)
                return AzureStorageRequest(
                    "POST",
                    origin: location.origin,
                    path: "\(location.base)/",
                    query: [("restype", "service"), ("comp", "userdelegationkey")],
                    headers: [
                        ("x-ms-version", AzureBlobRequests.version), ("Content-Type", "application/xml"),
                        ("Authorization", "Bearer \(try await token().reveal())"),
                    ],
                    body: AzureDelegationKey.request(from: start, until: now.advanced(by: Self.life))
                ).transfer()
            }
            guard response.status == 200 else {
                let failure = AzureBlobFailure(response)
                let text = "\(title): URLs cannot be signed: \(failure.explanation(Self.permission))"
                throw ServiceError.unavailable(text, cause: failure)
            }
            guard let key = AzureDelegationKey(response.body) else {
                throw ServiceError.unavailable("\(title): the answer with a key for URLs cannot be read")
            }
            // Its last hours are too short for a URL.
            return (key, key.end.advanced(by: .zero - SignedURL.longestLife))
        }
    }

    /// Parameters of a URL that permits so much.
    func sign(_ grant: AzureBlobGrant) async throws -> [(name: String, value: String)] {
        guard let query = try await renewed.value().sign(grant) else {
            throw ServiceError.unavailable("\(title): the key for URLs ends before this one does")
        }
        return query
    }
}
