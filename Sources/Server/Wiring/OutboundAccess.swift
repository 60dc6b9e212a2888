import AuditArchive
import CloudAccess
import Encryption
import Kernel
import ObjectStorage
import OutboundHTTP
import Transfers

extension ServiceClient {
    /// The way to services that the operator configured.
    init(_ configuration: Configuration, transfers: Transfers, _ environment: ProcessEnvironment) {
        self.init(
            configuration.outbound,
            transfers: transfers,
            clock: environment.clock,
            jitter: environment.effects.number
        )
    }
}

extension MasterKey {
    init(_ configuration: Configuration, transfers: Transfers, _ environment: ProcessEnvironment) {
        self.init(
            aws: configuration.clouds.aws,
            azure: configuration.clouds.azure,
            google: configuration.clouds.google,
            vault: configuration.clouds.vault,
            client: ServiceClient(configuration, transfers: transfers, environment),
            effects: environment.effects,
            clock: environment.clock
        )
    }
}

extension ObjectStorageConfiguration.Access {
    init(_ configuration: Configuration, transfers: Transfers, _ environment: ProcessEnvironment) {
        self.init(
            aws: configuration.clouds.aws,
            azure: configuration.clouds.azure,
            google: configuration.clouds.google,
            client: ServiceClient(configuration, transfers: transfers, environment),
            effects: environment.effects
        )
    }
}

extension AuditArchive {
    /// Opens the table that the settings name; nil when they name none.
    static func open(
        _ configuration: Configuration,
        transfers: Transfers,
        _ environment: ProcessEnvironment
    ) async throws -> AuditArchive? {
        try await open(
            configuration.audit,
            aws: configuration.clouds.aws,
            client: ServiceClient(configuration, transfers: transfers, environment),
            effects: environment.effects,
            clock: environment.clock
        )
    }
}
