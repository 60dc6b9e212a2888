import Contract
package import HTTPAPI
import Kernel

/// `/api/stacks/{orgName}/{projectName}/{stackName}/config`: a stack whose configuration is in an environment.
package struct StackConfigRoutes: RouteGroup {
    private let configurations: StackConfigService

    package init(configurations: StackConfigService) {
        self.configurations = configurations
    }

    package func register(on routes: inout RouteTable) {
        routes.query(Operations.GetStackConfig.self, access: .stack(.read), handler: get)
        routes.mutation(
            Operations.UpdateStackConfig.self,
            access: .stack(.write),
            audit: .stackConfigUpdated,
            handler: update
        )
        routes.mutation(
            Operations.DeleteStackConfig.self,
            access: .stack(.write),
            audit: .stackConfigDeleted,
            handler: delete
        )
    }

    func get(_ call: Call<Operations.GetStackConfig>) async throws -> AppStackConfig {
        AppStackConfig(try await configurations.get(try call.path.stack()))
    }

    func update(_ call: Call<Operations.UpdateStackConfig>) async throws -> AppStackConfig {
        let configuration = StackConfiguration(call.body)
        try await configurations.set(configuration, of: try call.path.stack(), by: call.actor)
        return AppStackConfig(configuration)
    }

    func delete(_ call: Call<Operations.DeleteStackConfig>) async throws -> NoContent {
        try await configurations.delete(of: try call.path.stack(), by: call.actor)
        return NoContent()
    }
}

extension AppStackConfig {
    init(_ configuration: StackConfiguration) {
        self.init(
            environment: configuration.environment,
            secretsProvider: configuration.secretsProvider,
            encryptedKey: configuration.encryptedKey,
            encryptionSalt: configuration.encryptionSalt
        )
    }
}

extension StackConfiguration {
    init(_ config: AppStackConfig) {
        self.init(
            environment: config.environment,
            secretsProvider: config.secretsProvider,
            encryptedKey: config.encryptedKey,
            encryptionSalt: config.encryptionSalt
        )
    }
}
