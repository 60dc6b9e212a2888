import Contract
package import HTTPAPI
import Kernel

/// A stack's state as a whole: exported, imported, and the outputs in it.
package struct StateRoutes: RouteGroup {
    private let reader: StateReader
    private let imports: StateImport
    private let outputs: StackOutputs

    package init(reader: StateReader, imports: StateImport, outputs: StackOutputs) {
        self.reader = reader
        self.imports = imports
        self.outputs = outputs
    }

    package func register(on routes: inout RouteTable) {
        routes.query(Operations.ExportStack.self, access: .stack(.export), handler: exportStack)
        routes.query(Operations.ExportStackAtVersion.self, access: .stack(.export), handler: exportVersion)
        routes.mutation(
            Operations.ImportStack.self,
            access: .stack(.importState),
            audit: .stackImported,
            handler: importStack
        )
        routes.query(Operations.GetStackOutputs.self, access: .stack(.read), handler: getOutputs)
    }

    func exportStack(_ call: Call<Operations.ExportStack>) async throws -> RawOutput {
        RawOutput(try await reader.export(try call.path.stack()))
    }

    func exportVersion(_ call: Call<Operations.ExportStackAtVersion>) async throws -> RawOutput {
        guard let version = Int(call.path.version), version > 0 else { throw ServiceError.versionInvalid }
        return RawOutput(try await reader.export(try call.path.stack(), version: version))
    }

    func importStack(_ call: Call<Operations.ImportStack>) async throws -> AppImportStackResponse {
        let update = try await imports.importState(call.content.received, into: try call.path.stack(), by: call.actor)
        return AppImportStackResponse(updateId: update.id.description)
    }

    func getOutputs(_ call: Call<Operations.GetStackOutputs>) async throws -> StackOutputsResponse {
        let (outputs, provider) = try await outputs.read(try call.path.stack())
        return StackOutputsResponse(
            outputs: outputs.mapValues { RawJSON(unchecked: $0) },
            secretsProviders: provider.map { RawJSON(unchecked: $0) }
        )
    }
}

extension RawOutput {
    fileprivate init(_ export: StateExport) {
        switch export {
        case .gzip(let version):
            self.init(
                contentType: "application/json",
                contentEncoding: "gzip",
                .pieces(version, length: version.count)
            )
        case .text(let text):
            self.init(contentType: "application/json", .bytes(text))
        }
    }
}
