/// Makes the model of what is written from the contract: decides directions, boxes, names and files.
struct ModelBuilder {
    let contract: Contract
    private var directions: [String: Model.Direction] = [:]
    private var tags: [String: Set<String>] = [:]

    init(_ contract: Contract) {
        self.contract = contract
    }

    mutating func build() throws(GeneratorError) -> Model {
        try followOperations()
        var model = Model()
        let cycles = Cycles(contract, used: Set(directions.keys))
        for name in directions.keys.sorted() {
            model.types.append(try define(try schema(name), cycles))
        }
        model.types.sort { $0.name < $1.name }
        try defineParameterLists(&model)
        try checkNames(model)
        return model
    }

    func schema(_ name: String) throws(GeneratorError) -> Contract.Schema {
        guard let schema = contract.schemas[name] else { throw GeneratorError("there is no schema \(name)") }
        return schema
    }

    // MARK: - Directions

    private mutating func followOperations() throws(GeneratorError) {
        for operation in contract.operations {
            if case .json(let type) = operation.body { try follow(type, .read, operation.tag) }
            if case .json(let type) = operation.output { try follow(type, .write, operation.tag) }
            for parameter in operation.queryParameters {
                try follow(parameter.type, .read, operation.tag)
            }
        }
    }

    private mutating func follow(_ type: TypeNode, _ way: Model.Direction, _ tag: String) throws(GeneratorError) {
        guard let name = type.reference else { return }
        let known = directions[name] ?? []
        let isNewTag = tags[name, default: []].insert(tag).inserted
        guard !known.contains(way) || isNewTag else { return }
        directions[name] = known.union(way)
        for next in contract.references(of: try schema(name)) {
            try follow(.reference(next), way, tag)
        }
    }

    // MARK: - Types

    private func define(_ schema: Contract.Schema, _ cycles: Cycles) throws(GeneratorError) -> Model.TypeDefinition {
        let users = tags[schema.name] ?? []
        return Model.TypeDefinition(
            name: schema.swiftName,
            wireName: schema.name,
            direction: directions[schema.name] ?? [],
            tag: users.count == 1 ? users.first : nil,
            reasons: schema.reasons,
            kind: try kind(of: schema, cycles)
        )
    }

    /// What `JSONObject.mostFields` allows, without the discriminator; it counts only for types that are read.
    private static let mostFields = 61

    private func kind(of schema: Contract.Schema, _ cycles: Cycles) throws(GeneratorError) -> Model.Kind {
        if schema.isEnumeration {
            let names = schema.words.map(Names.enumerationCase)
            try checkUnique(names, in: schema.name)
            if schema.codes.isEmpty {
                return .words(zip(names, schema.words).map { (name: $0, word: $1) })
            }
            return .codes(zip(names, schema.codes).map { (name: $0, code: $1) })
        }
        if let field = contract.unionField(of: schema) {
            var cases: [(name: String, word: String, type: String)] = []
            for (word, subtype) in contract.subtypes(of: schema) {
                cases.append((Names.enumerationCase(word), word, try self.schema(subtype).swiftName))
            }
            try checkUnique(cases.map(\.name), in: schema.name)
            return .union(field: field, cases, isIndirect: cycles.indirectUnions.contains(schema.name))
        }
        let fields = try schema.properties.filter { !$0.isDiscriminator }
            .map { property throws(GeneratorError) in try self.field(property, of: schema, cycles) }
        try checkUnique(fields.map(\.name), in: schema.name)
        let isRead = directions[schema.name]?.contains(.read) ?? false
        guard !isRead || fields.count <= Self.mostFields else {
            throw GeneratorError("\(schema.name) has more than \(Self.mostFields) fields")
        }
        let discriminator = schema.properties.first { $0.isDiscriminator }
        guard let discriminator, let word = schema.discriminatorValue else {
            return .object(fields, discriminator: nil)
        }
        return .object(fields, discriminator: (discriminator.name, word))
    }

    private func field(
        _ property: Contract.Property,
        of schema: Contract.Schema,
        _ cycles: Cycles
    ) throws(GeneratorError) -> Model.Field {
        let isWritten = directions[schema.name]?.contains(.write) ?? false
        var swiftType = try self.swiftType(property.type)
        if cycles.needsBox(property, of: schema) { swiftType = "Indirect<\(swiftType)>" }
        var elementType = swiftType
        if case .list(let element) = property.type { elementType = try self.swiftType(element) }
        if case .map(let value) = property.type { elementType = try self.swiftType(value) }
        return Model.Field(
            wireName: property.name,
            name: Names.property(property.name),
            type: property.type,
            swiftType: swiftType,
            isOptional: !(property.isDemanded || (isWritten && property.isRequired)),
            isDemanded: property.isDemanded,
            elementType: elementType
        )
    }

    func swiftType(_ type: TypeNode) throws(GeneratorError) -> String {
        switch type {
        case .string: "String"
        case .integer: "Int"
        case .number: "Double"
        case .boolean: "Bool"
        case .time: "Timestamp"
        case .base64: "Base64Bytes"
        case .any: "RawJSON"
        case .reference(let name): try schema(name).swiftName
        case .list(let element): "[\(try swiftType(element))]"
        case .map(let value): "[String: \(try swiftType(value))]"
        }
    }

    func checkUnique(_ names: [String], in place: String) throws(GeneratorError) {
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            throw GeneratorError("\(place): two things would be called \(name)")
        }
    }
}

extension Contract {
    /// The schemas an instance of this one may hold or be.
    func references(of schema: Schema) -> [String] {
        if unionField(of: schema) != nil { return subtypes(of: schema).map(\.schema) }
        return schema.properties.filter { !$0.isDiscriminator }.compactMap(\.type.reference)
    }

    /// The field that tells the subtypes of a union apart; nil for what is not one.
    ///
    /// Unions are the root of a hierarchy and every abstract schema below it.
    func unionField(of schema: Schema) -> String? {
        if let field = schema.discriminator?.field { return field }
        guard schema.isAbstract, schema.discriminatorValue != nil else { return nil }
        return schema.properties.first { $0.isDiscriminator }?.name
    }

    /// The concrete schemas of a union by the word that names them.
    func subtypes(of schema: Schema) -> [(word: String, schema: String)] {
        var root = schema
        while root.discriminator == nil, let parent = root.parent.flatMap({ schemas[$0] }) { root = parent }
        return (root.discriminator?.subtypes ?? []).filter { subtype in
            schemas[subtype.schema]?.isAbstract == false && isBelow(subtype.schema, schema.name)
        }
    }

    private func isBelow(_ name: String, _ ancestor: String) -> Bool {
        var current = schemas[name]
        while let schema = current {
            if schema.parent == ancestor { return true }
            current = schema.parent.flatMap { schemas[$0] }
        }
        return false
    }
}
