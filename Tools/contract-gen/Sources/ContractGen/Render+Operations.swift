extension Model.OperationDefinition {
    func render(into source: inout Source) {
        source.comment("`\(operation.method) \(operation.path)`", reasons: operation.reasons)
        source.block("package enum \(name): APIOperation") { source in
            source.line("package typealias Path = \(path)")
            source.line("package typealias Query = \(query)")
            source.line("package typealias Body = \(body)")
            source.line("package typealias Output = \(output)")
            // Without this, the compiler would put every descriptor into the lists as well.
            source.line("@inline(never)")
            source.block("package static var descriptor: OperationDescriptor") { source in
                let method = operation.method.lowercased()
                source.line("OperationDescriptor(")
                source.line("    id: \(operation.id.quoted), tag: \(operation.tag.quoted), method: .\(method),")
                source.line("    path: \(operation.path.quoted)\(arguments.isEmpty ? "" : ",")")
                for (index, argument) in arguments.enumerated() {
                    source.line("    \(argument)\(index == arguments.count - 1 ? "" : ",")")
                }
                source.line(")")
            }
        }
    }

    /// What differs from the defaults of the descriptor.
    private var arguments: [String] {
        var arguments: [String] = []
        if path != "NoPath" { arguments.append("pathParameters: Path.parameters") }
        if query != "NoQuery" { arguments.append("queryParameters: Query.parameters") }
        if !operation.requestContentTypes.isEmpty {
            arguments.append("requestContentTypes: \(Self.list(operation.requestContentTypes))")
        }
        if operation.responseContentTypes != ["application/json"] {
            arguments.append("responseContentTypes: \(Self.list(operation.responseContentTypes))")
        }
        if successStatus != 200 { arguments.append("successStatus: \(successStatus)") }
        if operation.usesUpdateToken { arguments.append("usesUpdateToken: true") }
        if operation.ignoresUnknownFields { arguments.append("ignoresUnknownFields: true") }
        return arguments
    }

    private static func list(_ words: [String]) -> String {
        "[\(words.map(\.quoted).joined(separator: ", "))]"
    }
}

extension Model.PathDefinition {
    func render(into source: inout Source) {
        let template = parameters.map { "{\($0)}" }.joined(separator: "/")
        source.line("/// The parameters `\(template)`.")
        let scopes = self.scopes.isEmpty ? "OperationPath" : self.scopes.joined(separator: ", ")
        source.block("package struct \(name): \(scopes)") { source in
            for parameter in parameters {
                source.line("package let \(Names.escaped(parameter)): String")
            }
            source.line()
            let names = parameters.map(\.quoted).joined(separator: ", ")
            source.line("package static var parameters: [String] { [\(names)] }")
            source.line()
            source.block("package init(pathValues values: [String])") { source in
                for (index, parameter) in parameters.enumerated() {
                    source.line("self.\(parameter) = values[\(index)]")
                }
            }
        }
    }
}

extension Model.QueryDefinition {
    func render(_ types: (TypeNode) throws(GeneratorError) -> String, into source: inout Source) throws(GeneratorError)
    {
        var properties: [String] = []
        var readings: [String] = []
        for parameter in parameters {
            let name = Names.property(parameter.name)
            let type = try types(parameter.type)
            properties.append("package let \(Names.escaped(name)): \(type)\(parameter.isRequired ? "" : "?")")
            readings.append("self.\(name) = \(try parameter.reading(type))")
        }
        let names = users.map { "`\($0)`" }.joined(separator: ", ")
        source.line("/// The query of \(names).")
        source.block("package struct \(name): OperationQuery") { source in
            for property in properties {
                source.line(property)
            }
            source.line()
            source.block("package static var parameters: [QueryParameterDescriptor]") { source in
                source.line("[")
                for parameter in parameters {
                    source.line("    QueryParameterDescriptor(\(parameter.descriptor)),")
                }
                source.line("]")
            }
            source.line()
            source.block("package init(_ query: QueryParameters) throws(WireError)") { source in
                for reading in readings {
                    source.line(reading)
                }
            }
        }
    }
}

extension Contract.QueryParameter {
    fileprivate func reading(_ swiftType: String) throws(GeneratorError) -> String {
        let key = name.quoted
        let value =
            switch type {
            case .string: "try query.string(\(key))"
            case .integer: "try query.integer(\(key))"
            case .boolean: "try query.bool(\(key))"
            case .reference: "try query.word(\(key), as: \(swiftType).self)"
            case .list(.string): "query.strings(\(key))"
            case .list(.integer): "try query.integers(\(key))"
            case .list(.reference): "query.words(\(key), as: \(swiftType.dropFirst().dropLast()).self)"
            default: throw GeneratorError("\(name): a query has no such type")
            }
        return isRequired ? "try query.required(\(key), \(value))" : value
    }

    fileprivate var descriptor: String {
        var isList = false
        var element = type
        if case .list(let inner) = type {
            isList = true
            element = inner
        }
        let kind =
            switch element {
            case .integer: "integer"
            case .boolean: "boolean"
            default: "string"
            }
        return "\(name.quoted), .\(kind)\(isRequired ? ", required: true" : "")\(isList ? ", list: true" : "")"
    }
}
