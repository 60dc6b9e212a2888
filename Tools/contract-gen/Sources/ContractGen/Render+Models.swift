extension Model.TypeDefinition {
    func render(into source: inout Source) {
        source.comment("`\(wireName)` of the contract, \(direction.phrase).", reasons: reasons)
        switch kind {
        case .object(let fields, let discriminator): renderObject(fields, discriminator, &source)
        case .union(let field, let cases, let isIndirect): renderUnion(field, cases, isIndirect, &source)
        case .words(let cases): renderWords(cases, &source)
        case .codes(let cases): renderCodes(cases, &source)
        }
    }

    private var conformances: String {
        switch direction {
        case .read: "WireDecodable"
        case .write: "WireEncodable"
        default: "WireDecodable, WireEncodable"
        }
    }

    // MARK: - Objects

    private func renderObject(
        _ fields: [Model.Field],
        _ discriminator: (field: String, word: String)?,
        _ source: inout Source
    ) {
        source.block("package struct \(name): \(conformances)") { source in
            for field in fields {
                source.line(
                    "package let \(Names.escaped(field.name)): \(field.swiftType)\(field.isOptional ? "?" : "")"
                )
            }
            if !fields.isEmpty { source.line() }
            if direction.contains(.write) { renderInitializer(fields, &source) }
            if direction.contains(.read) {
                if direction.contains(.write) { source.line() }
                renderReading(fields, discriminator?.field, &source)
            }
            if direction.contains(.write) {
                source.line()
                renderWriting(fields, discriminator, &source)
            }
        }
    }

    private func renderInitializer(_ fields: [Model.Field], _ source: inout Source) {
        let parameters = fields.map { field in
            "\(Names.escaped(field.name)): \(field.swiftType)\(field.isOptional ? "? = nil" : "")"
        }
        source.block("package init(\(parameters.joined(separator: ", ")))") { source in
            for field in fields {
                source.line("self.\(field.name) = \(Names.escaped(field.name))")
            }
        }
    }

    private func renderReading(_ fields: [Model.Field], _ discriminator: String?, _ source: inout Source) {
        let isUsed = !fields.isEmpty || discriminator != nil
        source.block("package init(wire value: JSONValue, at path: FieldPath) throws(WireError)") { source in
            source.line("\(isUsed ? "let fields" : "_") = try WireFields(value, at: path)")
            if let discriminator { source.line("fields.passOver(\(discriminator.quoted))") }
            for field in fields {
                source.line("self.\(field.name) = \(field.reading)")
            }
        }
    }

    private func renderWriting(
        _ fields: [Model.Field],
        _ discriminator: (field: String, word: String)?,
        _ source: inout Source
    ) {
        source.block("package func write(to json: inout JSONWriter)") { source in
            source.line("json.beginObject()")
            if let discriminator {
                source.line("json.field(\(discriminator.field.quoted), string: \(discriminator.word.quoted))")
            }
            for field in fields {
                source.line("json.field(\(field.wireName.quoted), \(field.writingLabel): self.\(field.name))")
            }
            source.line("json.endObject()")
        }
    }

    // MARK: - Unions

    private func renderUnion(
        _ field: String,
        _ cases: [(name: String, word: String, type: String)],
        _ isIndirect: Bool,
        _ source: inout Source
    ) {
        let keyword = isIndirect ? "indirect enum" : "enum"
        source.block("package \(keyword) \(name): \(conformances)") { source in
            for one in cases {
                source.line("case \(Names.escaped(one.name))(\(one.type))")
            }
            guard direction.contains(.read) else { return renderUnionWriting(field, cases, &source) }
            source.line("/// Of a kind that is not in the contract, by its name.")
            source.line("case unknown(String)")
            source.line()
            source.block("package init(wire value: JSONValue, at path: FieldPath) throws(WireError)") { source in
                source.line("let fields = try WireFields(value, at: path)")
                source.line("let kind = try fields.discriminator(\(field.quoted))")
                source.line("switch kind {")
                for one in cases {
                    let value = "try \(one.type)(wire: value, at: path)"
                    source.line("case \(one.word.quoted): self = .\(one.name)(\(value))")
                }
                source.line("default: self = .unknown(kind)")
                source.line("}")
            }
            if direction.contains(.write) { renderUnionWriting(field, cases, &source) }
        }
    }

    private func renderUnionWriting(
        _ field: String,
        _ cases: [(name: String, word: String, type: String)],
        _ source: inout Source
    ) {
        source.line()
        source.block("package func write(to json: inout JSONWriter)") { source in
            source.line("switch self {")
            for one in cases {
                source.line("case .\(one.name)(let value): value.write(to: &json)")
            }
            if direction.contains(.read) {
                source.line("case .unknown(let kind):")
                source.line("    json.beginObject()")
                source.line("    json.field(\(field.quoted), string: kind)")
                source.line("    json.endObject()")
            }
            source.line("}")
        }
    }

    // MARK: - Enumerations

    private func renderWords(_ cases: [(name: String, word: String)], _ source: inout Source) {
        guard direction.contains(.read) else {
            return source.block("package enum \(name): String, CaseIterable, WireEncodable") { source in
                for one in cases {
                    source.line("case \(Names.escaped(one.name)) = \(one.word.quoted)")
                }
            }
        }
        let isWritten = direction.contains(.write)
        source.block("package enum \(name): Hashable, WireWord\(isWritten ? ", WireEncodable" : "")") { source in
            for one in cases {
                source.line("case \(Names.escaped(one.name))")
            }
            source.line("/// A word that is not in the contract.")
            source.line("case unknown(String)")
            source.line()
            source.block("package init(rawValue: String)") { source in
                source.line("switch rawValue {")
                for one in cases {
                    source.line("case \(one.word.quoted): self = .\(one.name)")
                }
                source.line("default: self = .unknown(rawValue)")
                source.line("}")
            }
            source.line()
            source.block("package var rawValue: String") { source in
                source.line("switch self {")
                for one in cases {
                    source.line("case .\(one.name): \(one.word.quoted)")
                }
                source.line("case .unknown(let word): word")
                source.line("}")
            }
        }
    }

    private func renderCodes(_ cases: [(name: String, code: Int)], _ source: inout Source) {
        guard direction.contains(.read) else {
            return source.block("package enum \(name): Int, CaseIterable, WireEncodable") { source in
                for one in cases {
                    source.line("case \(Names.escaped(one.name)) = \(one.code)")
                }
            }
        }
        let isWritten = direction.contains(.write)
        source.block("package enum \(name): Hashable, WireCode\(isWritten ? ", WireEncodable" : "")") { source in
            for one in cases {
                source.line("case \(Names.escaped(one.name))")
            }
            source.line("/// A number that is not in the contract.")
            source.line("case unknown(Int)")
            source.line()
            source.block("package init(rawValue: Int)") { source in
                source.line("switch rawValue {")
                for one in cases {
                    source.line("case \(one.code): self = .\(one.name)")
                }
                source.line("default: self = .unknown(rawValue)")
                source.line("}")
            }
            source.line()
            source.block("package var rawValue: Int") { source in
                source.line("switch self {")
                for one in cases {
                    source.line("case .\(one.name): \(one.code)")
                }
                source.line("case .unknown(let code): code")
                source.line("}")
            }
        }
    }
}

extension Model.Direction {
    var phrase: String {
        switch self {
        case .read: "read from requests"
        case .write: "written into answers"
        default: "read and written"
        }
    }
}

extension Model.Field {
    /// The expression that reads it.
    fileprivate var reading: String {
        let key = wireName.quoted
        let value =
            switch type {
            case .string: "try fields.string(\(key))"
            case .integer: "try fields.integer(\(key))"
            case .number: "try fields.double(\(key))"
            case .boolean: "try fields.bool(\(key))"
            case .time: "try fields.time(\(key))"
            case .any: "fields.raw(\(key))"
            case .map(.any): "try fields.rawMap(\(key))"
            case .base64, .reference: "try fields.value(\(key), as: \(swiftType).self)"
            case .list: "try fields.list(\(key), of: \(elementType).self)"
            case .map: "try fields.map(\(key), of: \(elementType).self)"
            }
        if isOptional { return value }
        if isDemanded { return "try fields.required(\(key), \(value))" }
        return switch type {
        case .list: "\(value) ?? []"
        case .map: "\(value) ?? [:]"
        case .boolean: "\(value) ?? false"
        case .integer, .number: "\(value) ?? 0"
        case .any: "\(value) ?? .null"
        case .string, .time, .base64, .reference: "try fields.required(\(key), \(value))"
        }
    }

    fileprivate var writingLabel: String {
        switch type {
        case .string: "string"
        case .integer: "integer"
        case .number: "double"
        case .boolean: "bool"
        case .time: "time"
        case .any: "raw"
        case .base64, .reference: "value"
        case .list: "list"
        case .map: "map"
        }
    }

    var usesTimestamp: Bool {
        swiftType.contains("Timestamp")
    }
}
