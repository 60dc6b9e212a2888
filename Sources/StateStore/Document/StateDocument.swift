import JSONScan

/// One state as exported and imported: `{"version":…,"features":[…],"deployment":{…}}`, cut into its spans.
package struct StateDocument: Sendable {
    /// A member of an envelope, with its value as it came.
    package struct Member: Sendable {
        package var key: String
        package var value: ArraySlice<UInt8>

        package init(_ key: String, _ value: ArraySlice<UInt8>) {
            self.key = key
            self.value = value
        }
    }

    /// The schema version, 1 to 4.
    package var version: Int
    package var features: [String]
    /// Members that this release of the service does not know.
    package var others: [Member]
    /// Nil when it is null, as in an empty stack.
    package var deployment: Deployment?

    package init(version: Int = 3, features: [String] = [], others: [Member] = [], deployment: Deployment? = nil) {
        self.version = version
        self.features = features
        self.others = others
        self.deployment = deployment
    }

    /// What a stack that was never updated exports (§9.1).
    package static let neverUpdated = Array(
        #"{"version":3,"deployment":{"manifest":{"time":"0001-01-01T00:00:00Z","magic":"","version":""},"metadata":{}}}"#
            .utf8
    )

    package var resourceCount: Int { deployment?.resources.count ?? 0 }
}

/// The body of a deployment (§8.2): two lists cut into elements, and everything else member by member.
package struct Deployment: Sendable {
    /// All members except the two lists, in the order they came.
    package var members: [StateDocument.Member]
    package var resources: [StateResource]
    package var pendingOperations: [PendingOperation]

    package init(
        members: [StateDocument.Member] = [],
        resources: [StateResource] = [],
        pendingOperations: [PendingOperation] = []
    ) {
        self.members = members
        self.resources = resources
        self.pendingOperations = pendingOperations
    }

    /// The value of a member, the last one if it occurs twice; null counts as absent.
    package func value(_ key: String) -> ArraySlice<UInt8>? {
        guard let value = members.last(where: { $0.key == key })?.value, !JSONScalar.isNull(value) else { return nil }
        return value
    }

    /// The root stack's outputs as they stand in the state, secrets included; nil when there is no root or it has none.
    package var rootOutputs: ArraySlice<UInt8>? {
        guard let root = resources.first(where: { $0.isRootStack && !$0.flags.contains(.delete) }) else { return nil }
        return JSONReading.member("outputs", of: root.bytes)
    }
}

/// The provider that encrypted a state's secrets: `{"type":…,"state":…}`.
package struct SecretsProvider: Sendable, Equatable {
    package var type: String
    /// Raw, as it came; nil when absent or null.
    package var state: ArraySlice<UInt8>?

    package init?(_ value: ArraySlice<UInt8>) {
        var type: ArraySlice<UInt8>?
        for member in JSONMembers(of: value) {
            switch JSONText.decode(value[member.key]).asText {
            case "type": type = JSONScalar.string(value[member.value])
            case "state": state = JSONScalar.isNull(value[member.value]) ? nil : value[member.value]
            default: break
            }
        }
        guard let type else { return nil }
        self.type = type.asText
    }

    /// A text member of `state`, such as `owner`, `project` or `stack` of the service's own provider.
    package func stateText(_ key: String) -> String? {
        state.flatMap { JSONReading.member(key, of: $0) }.flatMap { JSONReading.text($0) }
    }
}
