import JSONScan
package import Kernel
package import Persistence
package import StateStore

/// The resources in one version of a stack's state.
package struct StackResources: Sendable {
    package var version: Int
    package var resources: [StateResource]
    /// The region that the version's configuration names, which links of consoles are made with; empty for none.
    package var region: String
}

/// Reads resources out of the states that updates ended with.
package struct StackResourceService: Sendable {
    private let database: Database
    private let reader: StateReader
    private let updates = UpdateStore()

    package init(database: Database, reader: StateReader) {
        self.database = database
        self.reader = reader
    }

    /// How many resources the newest version has; does not read it.
    package func count(of ref: StackRef) async throws -> (count: Int, version: Int) {
        let (_, number, state) = try await reader.settled(ref)
        return (state?.version.resourceCount ?? 0, number)
    }

    /// The resources of a version in the order of the state.
    ///
    /// - Parameter version: nil for the newest.
    /// - Throws: `.notFound` for a version that the stack does not have.
    package func list(of ref: StackRef, version: Int? = nil) async throws -> StackResources {
        let (stack, number, state) = try await reader.settled(ref, upTo: version)
        guard let state else { return StackResources(version: number, resources: [], region: "") }
        let document = try await reader.document(of: state)
        return StackResources(
            version: number,
            resources: document.deployment?.resources ?? [],
            region: try await region(of: stack.id, version: number)
        )
    }

    /// One resource by its URN; of several the one that is not about to be deleted.
    ///
    /// - Throws: `.notFound` when the version has none.
    package func find(_ urn: String, of ref: StackRef, version: Int? = nil) async throws -> StackResources {
        var found = try await list(of: ref, version: version)
        let named = found.resources.filter { $0.urn == urn }
        guard let resource = named.first(where: { !$0.isBeingDeleted }) ?? named.first else {
            throw ServiceError.resourceNotFound(urn, version: found.version)
        }
        found.resources = [resource]
        return found
    }

    private func region(of stack: StackID, version: Int) async throws -> String {
        let update = try await database.read { [updates] tx in
            try updates.find(version: version, of: stack, in: tx)
        }
        guard let update else { return "" }
        return Self.region(in: Array(update.program.config.utf8)[...])
    }

    /// The plain value of `aws:region` in a configuration: `{"aws:region":{"string":"eu-west-1","secret":false}}`.
    static func region(in config: ArraySlice<UInt8>) -> String {
        for entry in JSONMembers(of: config) where config[entry.key].elementsEqual("aws:region".utf8) {
            let value = config[entry.value]
            var text = ""
            for member in JSONMembers(of: value) {
                let key = String(decoding: value[member.key], as: UTF8.self)
                if key == "string", let string = JSONScalar.string(value[member.value]) {
                    text = String(decoding: string, as: UTF8.self)
                } else if key == "secret", JSONScalar.boolean(value[member.value]) == true {
                    return ""
                }
            }
            return text
        }
        return ""
    }
}
