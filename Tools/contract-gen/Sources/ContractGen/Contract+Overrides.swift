extension Contract {
    /// Applies the file of overrides.
    ///
    /// Whatever names something that does not exist is an error, so that no override
    /// outlives what it was for.
    package mutating func apply(overrides json: JSON) throws(GeneratorError) {
        for override in json["operations"]?.elements ?? [] {
            let reason = try override.needed("reason")
            for id in override["ids"]?.strings ?? [] {
                guard let index = operations.firstIndex(where: { $0.id == id }) else {
                    throw GeneratorError("the overrides name the operation \(id), which does not exist")
                }
                try operations[index].apply(override)
                operations[index].reasons.append(reason)
            }
        }
        for override in json["schemas"]?.elements ?? [] {
            let reason = try override.needed("reason")
            let name = try override.needed("schema")
            guard var schema = schemas[name] else {
                throw GeneratorError("the overrides name the schema \(name), which does not exist")
            }
            try schema.apply(override)
            schema.reasons.append(reason)
            schemas[name] = schema
            if override["raw"]?.isTrue ?? false { makeRaw(name, reason) }
        }
        pathNames = try Self.names(json["paths"])
        queryNames = try Self.names(json["queries"])
    }

    /// Puts free-form JSON wherever a schema is referred to.
    private mutating func makeRaw(_ name: String, _ reason: String) {
        for index in operations.indices where operations[index].refers(to: name) {
            if case .json(let type) = operations[index].body { operations[index].body = .json(type.raw(name)) }
            if case .json(let type) = operations[index].output { operations[index].output = .json(type.raw(name)) }
            operations[index].reasons.append(reason)
        }
        for (key, schema) in schemas {
            var schema = schema
            var reasons: [String] = []
            for index in schema.properties.indices where schema.properties[index].type.reference == name {
                schema.properties[index].type = schema.properties[index].type.raw(name)
                reasons.append("`\(schema.properties[index].name)`: \(reason)")
            }
            schema.reasons += reasons
            schemas[key] = schema
        }
    }

    private static func names(_ json: JSON?) throws(GeneratorError) -> [String: String] {
        var names: [String: String] = [:]
        for (list, name) in json?.members ?? [] {
            guard let name = name.string, names.updateValue(name, forKey: list) == nil else {
                throw GeneratorError("the overrides name the parameter list \(list) twice, or not")
            }
        }
        return names
    }
}

extension TypeNode {
    /// The type with free-form JSON in the place of a schema.
    fileprivate func raw(_ name: String) -> TypeNode {
        switch self {
        case .reference(name): .any
        case .list(let element): .list(element.raw(name))
        case .map(let value): .map(value.raw(name))
        default: self
        }
    }
}

extension Contract.Operation {
    fileprivate func refers(to name: String) -> Bool {
        if case .json(let type) = body, type.reference == name { return true }
        if case .json(let type) = output, type.reference == name { return true }
        return false
    }

    fileprivate mutating func apply(_ override: JSON) throws(GeneratorError) {
        switch override["body"] {
        case nil: break
        case .string("none"): body = .none
        case .string("rawJSON"): body = .rawJSON
        case .string("raw"): body = .raw
        case .some(let type): body = .json(try TypeNode(type))
        }
        switch override["output"] {
        case nil: break
        case .string("none"): output = .none
        case .string("raw"): output = .raw
        case .some(let type): output = .json(try TypeNode(type))
        }
        if let types = override["requestContentTypes"]?.strings { requestContentTypes = types }
        if let types = override["responseContentTypes"]?.strings { responseContentTypes = types }
        if override["ignoresUnknownFields"]?.isTrue ?? false {
            guard case .json = body else { throw GeneratorError("\(id) has no body whose fields are known") }
            ignoresUnknownFields = true
        }
        for parameter in override["addQuery"]?.elements ?? [] {
            queryParameters.append(try Contract.QueryParameter(parameter))
        }
    }
}

extension Contract.Schema {
    fileprivate mutating func apply(_ override: JSON) throws(GeneratorError) {
        if let name = override["rename"]?.string { swiftName = name }
        for (name, type) in override["types"]?.members ?? [] {
            properties[try index(of: name)].type = try TypeNode(type)
        }
        for name in override["demand"]?.strings ?? [] {
            properties[try index(of: name)].isDemanded = true
        }
        for name in override["optional"]?.strings ?? [] {
            properties[try index(of: name)].isRequired = false
        }
    }

    private func index(of property: String) throws(GeneratorError) -> Int {
        guard let index = properties.firstIndex(where: { $0.name == property }) else {
            throw GeneratorError("the overrides name \(name).\(property), which does not exist")
        }
        return index
    }
}
