import Contract
package import HTTPAPI

/// What clients ask about the service itself.
package struct ServiceMetadataRoutes: RouteGroup {
    /// Below this size of state clients send checkpoints whole instead of as a delta, in bytes.
    private static let deltaCutoff = 65_536

    package init() {}

    package func register(on routes: inout RouteTable) {
        routes.inline(Operations.Capabilities.self, output: capabilities)
        routes.inline(Operations.Version.self, output: version)
    }

    /// The features clients may use (`spec/cli-protocol.md` §4, `spec/cli-observed.md` 4 and 18).
    func capabilities() throws -> AppCapabilitiesResponse {
        AppCapabilitiesResponse(
            capabilities: [
                AppAPICapabilityConfig(
                    capability: .deltaCheckpointUploadsV2,
                    version: 2,
                    configuration: try Self.configuration("checkpointCutoffSizeBytes", Self.deltaCutoff)
                ),
                AppAPICapabilityConfig(capability: .batchEncrypt),
                AppAPICapabilityConfig(capability: .beginUpdate, version: 1),
                AppAPICapabilityConfig(capability: .stackOutputs, version: 1),
                AppAPICapabilityConfig(
                    capability: .deploymentSchemaVersion,
                    version: 1,
                    configuration: try Self.configuration("version", 4)
                ),
            ]
        )
    }

    private static func configuration(_ name: StaticString, _ value: Int) throws -> RawJSON {
        try RawJSON { json in
            json.beginObject()
            json.field(name, integer: value)
            json.endObject()
        }
    }

    /// Low on purpose, so that no client is told to upgrade (`spec/cli-protocol.md` §5.9).
    func version() -> AppCLIVersionResponse {
        AppCLIVersionResponse(latestVersion: "3.0.0", oldestWithoutWarning: "1.1.0", latestDevVersion: "")
    }
}
