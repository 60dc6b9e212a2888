package import CloudAccess
package import Kernel
package import OutboundHTTP

/// Opens the master key where the operator has put it.
package struct MasterKey: Sendable {
    private let aws: AWSConfiguration
    private let azure: AzureConfiguration
    private let google: GoogleConfiguration
    private let vault: VaultConfiguration
    private let client: ServiceClient
    private let effects: Effects
    private let clock: any Clock<Duration>

    /// - Parameters:
    ///   - aws: used when the key is there; nothing is asked for otherwise.
    ///   - azure: the same.
    ///   - google: the same.
    ///   - vault: the same.
    ///   - client: reaches the services.
    package init(
        aws: AWSConfiguration,
        azure: AzureConfiguration,
        google: GoogleConfiguration,
        vault: VaultConfiguration,
        client: ServiceClient,
        effects: Effects,
        clock: any Clock<Duration>
    ) {
        self.aws = aws
        self.azure = azure
        self.google = google
        self.vault = vault
        self.client = client
        self.effects = effects
        self.clock = clock
    }

    /// Reads a key, or connects to the service that holds it and proves that it can be used; blocks while it reads files.
    ///
    /// - Parameters:
    ///   - mayMakeKey: false when the database has a canary already. A new key would not open what it holds.
    ///   - settings: takes the warnings.
    /// - Throws: `ConfigurationError`, and `ServiceError` with `.unavailable` when the service cannot be used.
    package func open(
        _ configuration: EncryptionConfiguration,
        mayMakeKey: Bool,
        settings: Settings
    ) async throws -> any KeyProvider {
        try await KeyServicePatience.extended {
            // Where one key follows another, there is a canary, and the next key may have to be made all the same.
            let mayMake = mayMakeKey || configuration.other != nil
            let current = try await open(configuration.place, configuration, mayMake, settings)
            guard let other = configuration.other else { return current }
            return KeySuccession(current: current, other: try await open(other, configuration, false, settings))
        }
    }

    private func open(
        _ place: EncryptionConfiguration.Place,
        _ configuration: EncryptionConfiguration,
        _ mayMakeKey: Bool,
        _ settings: Settings
    ) async throws -> any KeyProvider {
        switch place {
        case .local(let path, let makesKey):
            do {
                if makesKey, mayMakeKey { _ = try LocalKeyFiles.makeKey(in: path) }
                let found = try LocalKeyFiles.load(path)
                for warning in found.warnings { settings.warn("PULUMI_LOCAL_KEYS", warning) }
                return LocalKeyProvider(current: found.current, older: found.older)
            } catch {
                throw configuration.problem(error.description, with: place)
            }
        case .awsKMS(let key):
            let access = try AWSAccess(aws)
            return try await AWSKMSKeyProvider.open(
                key,
                region: access.region,
                configuration: aws,
                credentials: access.source(client: client, effects: effects),
                client: client,
                effects: effects,
                clock: clock
            )
        case .azureKeyVault(let uri, let key, let version):
            return try await KeyVaultKeyProvider.open(
                uri,
                key: key,
                version: version,
                credential: AzureCredential(azure, client: client, effects: effects),
                client: client,
                effects: effects,
                clock: clock
            )
        case .googleKMS(let key, let address):
            return try await GoogleKMSKeyProvider.open(
                key,
                at: address,
                credential: GoogleCredential(google, client: client, effects: effects),
                client: client,
                clock: clock
            )
        case .vaultTransit(let key):
            let access = try VaultAccess(vault, client: client, effects: effects)
            return try await VaultKeyProvider.open(key, in: access, clock: clock)
        }
    }
}
