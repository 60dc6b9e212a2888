import Contract
import Foundation
import Testing

/// The contract as it stands in the repository, read with the reader under test.
struct ContractFile {
    let operations: [JSONValue]
    let overlappingRoutes: [JSONValue]

    init() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        let data = try Data(contentsOf: root.appending(path: "Contract/contract.json"))
        let contract = try WireFields(try JSONValue.parse(Array(data)), at: .root)
        operations = try contract.list("operations", of: JSONValue.self) ?? []
        overlappingRoutes = try contract.list("overlappingRoutes", of: JSONValue.self) ?? []
    }
}

@Suite("Descriptors of operations")
struct OperationDescriptorTests {
    @Test("are those of the contract, in its order within a tag")
    func agreeWithContract() throws {
        let contract = try ContractFile()
        let byID = Dictionary(uniqueKeysWithValues: Operations.all.map { ($0.id, $0) })

        #expect(contract.operations.count == 634)
        #expect(byID.count == contract.operations.count)
        for value in contract.operations {
            let operation = try WireFields(value, at: .root)
            let id = try #require(try operation.string("id"))
            let descriptor = try #require(byID[id], "\(id) is not generated")

            #expect(try operation.string("tag") == descriptor.tag)
            #expect(try operation.string("method") == descriptor.method.rawValue)
            #expect(try operation.string("path") == descriptor.path)
            #expect(try (operation.string("authAlt") == "update-token") == descriptor.usesUpdateToken)
            let parameters = try operation.list("queryParams", of: JSONValue.self) ?? []
            for parameter in parameters {
                let fields = try WireFields(parameter, at: .root)
                let name = try #require(try fields.string("name"))
                let known = try #require(descriptor.queryParameters.first { $0.name == name }, "\(id): \(name)")
                #expect(try fields.bool("required") ?? false == known.isRequired, "\(id): \(name)")
                #expect(try (fields.string("type") == "array") == known.isList, "\(id): \(name)")
            }
        }
        let order = try contract.operations.map { try WireFields($0, at: .root).string("id") ?? "" }
        for tag in Set(Operations.all.map(\.tag)) {
            let ids = Operations.all.filter { $0.tag == tag }.map(\.id)
            #expect(order.filter(Set(ids).contains) == ids)
        }
    }

    @Test("have the parameters of their paths, each a whole segment and each once")
    func havePathParameters() {
        for descriptor in Operations.all {
            let segments = descriptor.path.split(separator: "/")
            let parameters = segments.filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }

            #expect(descriptor.path.hasPrefix("/api/"), "\(descriptor.id)")
            #expect(parameters == descriptor.pathParameters, "\(descriptor.id)")
            #expect(Set(parameters).count == parameters.count, "\(descriptor.id)")
            #expect(segments.allSatisfy { $0.hasPrefix("{") == $0.hasSuffix("}") }, "\(descriptor.id)")
            #expect(!descriptor.path.contains("//") && !descriptor.path.hasSuffix("/"), "\(descriptor.id)")
        }
    }

    @Test("are unique by name, and by method and path")
    func areUnique() {
        #expect(Set(Operations.all.map(\.id)).count == Operations.all.count)
        #expect(Set(Operations.all.map { "\($0.method) \($0.path)" }).count == Operations.all.count)
        for descriptor in Operations.all {
            let names = descriptor.queryParameters.map(\.name)
            #expect(Set(names).count == names.count, "\(descriptor.id)")
        }
    }

    @Test("know the overlapping routes the contract lists")
    func knowOverlaps() throws {
        let overlaps = try ContractFile().overlappingRoutes
        let known = Set(Operations.all.map { "\($0.method.rawValue) \($0.path)" })

        #expect(overlaps.count == 46)
        for overlap in overlaps {
            let fields = try WireFields(overlap, at: .root)
            let method = try #require(try fields.string("method"))
            let paths = try fields.list("paths", of: String.self) ?? []
            #expect(paths.count == 2)
            #expect(paths.allSatisfy { known.contains("\(method) \($0)") }, "\(paths)")
        }
    }

    @Test("answer 204 without a body, and 200 to HEAD and wherever there is one")
    func haveStatus() {
        #expect(Operations.RenameStack.descriptor.successStatus == 200)
        #expect(Operations.DeleteStack.descriptor.successStatus == 204)
        #expect(Operations.ProjectExists.descriptor.successStatus == 200)
        for descriptor in Operations.all {
            #expect([200, 204].contains(descriptor.successStatus), "\(descriptor.id)")
        }
    }

    @Test("differ from the contract where an override says so")
    func haveOverrides() {
        #expect(Operations.PatchUpdateCheckpointDeltaUpdate.Body.self == RawJSONBody.self)
        #expect(Operations.CreateJournalEntriesRefresh.Body.self == RawJSONBody.self)
        #expect(Operations.RecordEngineEventBatchPreview.Body.self == RawJSONBody.self)
        #expect(Operations.ImportStack.Body.self == RawJSONBody.self)
        #expect(Operations.ExportStack.Output.self == RawOutput.self)
        #expect(Operations.UpdateEnvironmentEscEnvironments.Body.self == RawBody.self)
        #expect(Operations.OpenYamlEsc.Body.self == RawBody.self)
        #expect(Operations.Token.Body.self == RawBody.self)
        #expect(Operations.UpdateStackTags.Body.self == [String: String].self)
        #expect(Operations.StreamTaskEvents.Output.self == RawOutput.self)
        #expect(Operations.OpenYamlEsc.descriptor.queryParameters.map(\.name).contains("environmentOverrides"))
    }

    @Test("belong to the holder of a lease where a running update writes")
    func belongToLeases() {
        let lease = Set(Operations.all.filter(\.usesUpdateToken).map(\.id))

        #expect(lease.contains("createJournalEntriesUpdate"))
        #expect(lease.contains("completeUpdateDestroy"))
        #expect(!lease.contains("cancelUpdateUpdate"))
        #expect(!lease.contains("startUpdateForUpdate"))
    }

    @Test("of the four kinds of update share their types, so that one handler serves them")
    func shareTypes() {
        #expect(Operations.StartUpdateForUpdate.Path.self == Operations.StartUpdateForDestroy.Path.self)
        #expect(Operations.StartUpdateForUpdate.Body.self == Operations.StartUpdateForPreview.Body.self)
        #expect(Operations.GetEngineEventsUpdate.Query.self == Operations.GetEngineEventsRefresh.Query.self)
        #expect(Operations.GetUpdateStatusForUpdate.Query.self == Operations.GetUpdateStatusForDestroy.Query.self)
    }
}

@Suite("Paths of operations")
struct OperationPathTests {
    @Test("take their values in the order of the path, and know what they are inside of")
    func takeValues() {
        let update: any UpdateScoped = UpdatePath(pathValues: ["acme", "site", "dev", "42"])
        let environment: any EnvironmentScoped = EnvironmentPath(pathValues: ["acme", "site", "prod"])
        let preview: any EnvironmentScoped = PreviewEnvironmentPath(pathValues: ["acme", "prod"])
        let item: any RegistryScoped = RegistryItemPath(pathValues: ["private", "acme", "vpc"])

        #expect(
            [update.orgName, update.projectName, update.stackName, update.updateID] == ["acme", "site", "dev", "42"]
        )
        #expect([environment.orgName, environment.projectName, environment.envName] == ["acme", "site", "prod"])
        #expect([preview.orgName, preview.projectName, preview.envName] == ["acme", "default", "prod"])
        #expect([item.source, item.publisher, item.name] == ["private", "acme", "vpc"])
    }

    @Test("of environments are not inside a project of stacks")
    func keepProjectsApart() {
        #expect(!(EnvironmentPath(pathValues: ["a", "b", "c"]) as Any is any ProjectScoped))
        #expect(ProjectPath(pathValues: ["a", "b"]) as Any is any ProjectScoped)
        #expect(!(ProjectPath(pathValues: ["a", "b"]) as Any is any StackScoped))
    }
}
