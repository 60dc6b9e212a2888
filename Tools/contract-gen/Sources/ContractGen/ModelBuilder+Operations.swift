extension ModelBuilder {
    /// Names that a generated type must not take: those of ours, and those that every reader takes for others.
    private static let takenNames: Set<String> = [
        "Any", "AnyObject", "Array", "Base64Bytes", "Bool", "Character", "Clock", "Data", "Dictionary", "Double",
        "Duration", "Effects", "Error", "FieldPath", "ID", "Indirect", "Int", "JSONValue", "NoBody", "NoContent",
        "NoPath", "NoQuery", "Operations", "Optional", "Page", "Protocol", "QueryParameters", "RawBody", "RawJSON",
        "RawJSONBody", "RawOutput", "Result", "Self", "Sequence", "Service", "Set", "String", "Substring", "Task",
        "Timestamp", "Type", "WireError", "WireFields",
    ]

    func defineParameterLists(_ model: inout Model) throws(GeneratorError) {
        var queries: [(name: String, parameters: [Contract.QueryParameter], users: [String])] = []
        var paths: [String: Model.PathDefinition] = [:]
        for operation in contract.operations {
            let list = operation.pathParameters.joined(separator: ",")
            let pathName = list.isEmpty ? "NoPath" : contract.pathNames[list] ?? Self.pathName(operation.pathParameters)
            if !list.isEmpty {
                paths[list] = Model.PathDefinition(
                    name: pathName,
                    parameters: operation.pathParameters,
                    scopes: Self.scopes(operation.pathParameters)
                )
            }
            let queryName = queryName(operation, &queries)
            model.operations.append(try define(operation, path: pathName, query: queryName))
        }
        for list in contract.pathNames.keys.sorted() where paths[list] == nil {
            throw GeneratorError("the overrides name the path list \(list), which does not occur")
        }
        let queryLists = Set(queries.map { $0.parameters.map(\.name).joined(separator: ",") })
        for list in contract.queryNames.keys.sorted() where !queryLists.contains(list) {
            throw GeneratorError("the overrides name the query list \(list), which does not occur")
        }
        model.paths = paths.values.sorted { $0.name < $1.name }
        model.queries = queries.map { Model.QueryDefinition(name: $0.name, parameters: $0.parameters, users: $0.users) }
            .sorted { $0.name < $1.name }
    }

    /// Operations with the same list share a struct, so that they can share a handler.
    ///
    /// It is called after the first.
    private func queryName(
        _ operation: Contract.Operation,
        _ queries: inout [(name: String, parameters: [Contract.QueryParameter], users: [String])]
    ) -> String {
        guard !operation.queryParameters.isEmpty else { return "NoQuery" }
        if let index = queries.firstIndex(where: { $0.parameters == operation.queryParameters }) {
            queries[index].users.append(operation.id)
            return queries[index].name
        }
        let list = operation.queryParameters.map(\.name).joined(separator: ",")
        let name = contract.queryNames[list] ?? "\(Names.upperCamel(operation.id))Query"
        queries.append((name, operation.queryParameters, [operation.id]))
        return name
    }

    private func define(
        _ operation: Contract.Operation,
        path: String,
        query: String
    ) throws(GeneratorError) -> Model.OperationDefinition {
        let body =
            switch operation.body {
            case .none: "NoBody"
            case .raw: "RawBody"
            case .rawJSON: "RawJSONBody"
            case .json(.any): "RawJSONBody"
            case .json(let type): try swiftType(type)
            }
        var output =
            switch operation.output {
            case .none: "NoContent"
            case .raw: "RawOutput"
            case .json(let type): try swiftType(type)
            }
        var successStatus = operation.output == .none ? 204 : 200
        if operation.method == "HEAD" {
            output = "NoContent"
            successStatus = 200
        }
        if operation.hasRevisionHeaders { output = "Revisioned<\(output)>" }
        return Model.OperationDefinition(
            name: Names.upperCamel(operation.id),
            operation: operation,
            path: path,
            query: query,
            body: body,
            output: output,
            successStatus: successStatus
        )
    }

    /// The name of a list of parameters that the overrides do not name.
    private static func pathName(_ parameters: [String]) -> String {
        let words = parameters.map { Names.upperCamel($0) }
        return "\(words.joined())Path"
    }

    /// The protocols that say what a path is inside of.
    private static func scopes(_ parameters: [String]) -> [String] {
        let names = Set(parameters)
        var scopes: [String] = []
        if names.isSuperset(of: ["source", "publisher", "name"]) { scopes.append("RegistryScoped") }
        guard names.contains("orgName") else { return scopes }
        if names.contains("envName") {
            scopes.append(names.contains("projectName") ? "EnvironmentScoped" : "DefaultProjectScoped")
        } else if names.isSuperset(of: ["projectName", "stackName"]) {
            scopes.append(names.contains("updateID") ? "UpdateScoped" : "StackScoped")
        } else if names.contains("projectName") {
            scopes.append("ProjectScoped")
        }
        if names.contains("accountName") { scopes.append("InsightsAccountScoped") }
        if names.contains("teamName") { scopes.append("TeamScoped") }
        if names.contains("policyGroup") { scopes.append("PolicyGroupScoped") }
        if names.isSuperset(of: ["ownerType", "ownerName", "serviceName"]) { scopes.append("ServiceScoped") }
        return scopes.isEmpty ? ["OrganizationScoped"] : scopes
    }

    func checkNames(_ model: Model) throws(GeneratorError) {
        let names = model.types.map(\.name) + model.paths.map(\.name) + model.queries.map(\.name)
        try checkUnique(names, in: "the module")
        try checkUnique(model.operations.map(\.name), in: "the operations")
        for name in names where Self.takenNames.contains(name) {
            throw GeneratorError("\(name) means something else already; rename it in the overrides")
        }
        let operations = Set(model.operations.map(\.name))
        for type in model.types where operations.contains(type.name) {
            throw GeneratorError("\(type.name) is an operation and a schema; rename the schema in the overrides")
        }
    }
}
