package import CloudAccess
package import Kernel
package import OutboundHTTP

extension ObjectStorageConfiguration {
    /// What buckets are reached with.
    package struct Access: Sendable {
        package let aws: AWSConfiguration
        package let azure: AzureConfiguration
        package let google: GoogleConfiguration
        package let client: ServiceClient
        package let effects: Effects

        package init(
            aws: AWSConfiguration,
            azure: AzureConfiguration,
            google: GoogleConfiguration,
            client: ServiceClient,
            effects: Effects
        ) {
            self.aws = aws
            self.azure = azure
            self.google = google
            self.client = client
            self.effects = effects
        }
    }

    /// Opens folders, and tries the buckets.
    ///
    /// - Throws: `ConfigurationError` for what the settings must change, `ServiceError` with `.unavailable` for what the
    ///   service says.
    package func open(_ access: Access) async throws -> any ObjectStore {
        let main = try await openCheckpoints(access)
        guard let events else { return main }
        return SplitObjectStore(main, keeping: .events, in: try await open(events, access))
    }

    /// Opens the place of checkpoints alone, as `open` does.
    package func openCheckpoints(_ access: Access) async throws -> any ObjectStore {
        try await open(checkpoints, access)
    }

    /// Tries the place of one of the other purposes as `open` does.
    package func probe(_ other: (setting: String, place: Place), _ access: Access) async throws {
        _ = try await open(other, access)
    }

    private func open(_ other: (setting: String, place: Place), _ access: Access) async throws -> any ObjectStore {
        do {
            return try await open(other.place, access)
        } catch let error as ServiceError {
            throw ServiceError(error.code, "\(other.setting): \(error.message)")
        }
    }

    private func open(_ place: Place, _ access: Access) async throws -> any ObjectStore {
        switch place {
        case .folder(let path):
            return try FolderObjectStore(
                path: path,
                setting: "PULUMI_LOCAL_OBJECTS",
                pool: FolderObjectStore.makePool()
            )
        case .s3(let location):
            let source: any AWSCredentialSource =
                if location.isAnonymous {
                    FixedAWSCredentials(AWSCredentials(accessKeyID: "", secretAccessKey: Redacted("")))
                } else {
                    try AWSAccess(access.aws.with(profile: location.profile, role: location.role))
                        .source(client: access.client, effects: access.effects)
                }
            return try await S3ObjectStore.open(
                location,
                credentials: source,
                client: access.client,
                effects: access.effects
            )
        case .azureBlob(let location):
            return try await AzureBlobObjectStore.open(
                location,
                authorization(location, access),
                client: access.client,
                effects: access.effects
            )
        case .googleStorage(let location):
            if location.isAnonymous {
                return try await GoogleStorageObjectStore.open(
                    location,
                    .anonymous,
                    client: access.client,
                    effects: access.effects
                )
            }
            let credential = try GoogleCredential(access.google, client: access.client, effects: access.effects)
            return try await GoogleStorageObjectStore.open(
                location,
                .token { try await credential.token() },
                signer: credential.signer(in: location.universe),
                client: access.client,
                effects: access.effects
            )
        }
    }

    /// The account's key, a signature, or whoever this server is to Azure.
    private func authorization(_ location: AzureBlobLocation, _ access: Access) -> AzureBlobAuthorization {
        if let key = azure.key, let shared = AzureSharedKey(account: location.account, key: key) { return .key(shared) }
        if let token = azure.token { return .signature(token) }
        let credential = AzureCredential(access.azure, client: access.client, effects: access.effects)
        return .token { try await credential.token(for: "https://storage.azure.com") }
    }
}
