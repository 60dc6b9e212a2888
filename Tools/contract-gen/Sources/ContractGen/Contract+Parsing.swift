extension Contract {
    package init(_ json: JSON) throws(GeneratorError) {
        operations = []
        for operation in json["operations"]?.elements ?? [] {
            operations.append(try Operation(operation))
        }
        schemas = [:]
        for (name, schema) in json["schemas"]?.members ?? [] {
            schemas[name] = try Schema(name, schema)
        }
    }
}

extension Contract.Operation {
    init(_ json: JSON) throws(GeneratorError) {
        id = try json.needed("id")
        tag = try json.needed("tag")
        method = try json.needed("method")
        path = try json.needed("path")
        pathParameters = (json["pathParams"]?.elements ?? []).compactMap { $0["name"]?.string }
        queryParameters = []
        for parameter in json["queryParams"]?.elements ?? [] {
            queryParameters.append(try Contract.QueryParameter(parameter))
        }
        requestContentTypes = json["requestContentTypes"]?.strings ?? []
        responseContentTypes = json["responseContentTypes"]?.strings ?? []
        hasRevisionHeaders = !(json["responseHeaders"]?.elements ?? []).isEmpty
        usesUpdateToken = json["authAlt"]?.string == "update-token"

        switch json["requestSchema"] {
        case nil, .null: body = .none
        case .some where requestContentTypes != ["application/json"]: body = .raw
        case .some(let schema): body = .json(try TypeNode(schema))
        }
        switch json["responseSchema"] {
        case nil, .null: output = .none
        case .some where responseContentTypes.first != "application/json": output = .raw
        case .some(let schema): output = .json(try TypeNode(schema))
        }
        guard
            path.split(separator: "/").filter({ $0.hasPrefix("{") }).map({ String($0.dropFirst().dropLast()) })
                == pathParameters
        else { throw GeneratorError("\(id): the parameters are not those of the path") }
    }
}

extension Contract.QueryParameter {
    init(_ json: JSON) throws(GeneratorError) {
        name = try json.needed("name")
        type = try TypeNode(json)
        isRequired = json["required"]?.isTrue ?? false
        if let format = json["collectionFormat"]?.string, format != "multi" {
            throw GeneratorError("\(name): no collection format that is known: \(format)")
        }
    }
}

extension Contract.Schema {
    init(_ name: String, _ json: JSON) throws(GeneratorError) {
        self.name = name
        swiftName = name
        isEnumeration = json["enum"] != nil
        if let names = json["enumNames"] {
            words = names.strings
            codes = (json["enum"]?.elements ?? []).compactMap(\.integer)
        } else {
            words = json["enum"]?.strings ?? []
        }
        for (property, type) in json["properties"]?.members ?? [] {
            properties.append(try Contract.Property(property, type))
        }
        parent = json["extends"]?.string
        isAbstract = json["abstract"]?.isTrue ?? false
        discriminatorValue = json["discriminatorValue"]?.string
        if let field = json["discriminator"]?["field"]?.string {
            let subtypes = json["discriminator"]?["subtypes"]?.members ?? []
            discriminator = Contract.Discriminator(
                field: field,
                subtypes: subtypes.map { (word: $0.name, schema: $0.value.string ?? "") }
            )
        }
    }
}

extension Contract.Property {
    init(_ name: String, _ json: JSON) throws(GeneratorError) {
        self.name = name
        type = try TypeNode(json)
        isRequired = json["required"]?.isTrue ?? false
        isDiscriminator = json["discriminator"]?.isTrue ?? false
    }
}

extension JSON {
    func needed(_ name: String) throws(GeneratorError) -> String {
        guard let text = self[name]?.string else { throw GeneratorError("no \(name) in \(self)") }
        return text
    }
}
