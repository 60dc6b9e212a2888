/// Makes the Swift files of the contract.
///
/// The same input gives the same text, byte for byte.
package enum Generator {
    /// - Returns: the files by name.
    package static func files(contract: String, overrides: String) throws(GeneratorError) -> [String: String] {
        var parsed = try Contract(try JSONReader.read(contract))
        try parsed.apply(overrides: try JSONReader.read(overrides))
        var builder = ModelBuilder(parsed)
        let model = try builder.build()

        var files: [String: String] = [:]
        for tag in Set(model.types.map(\.tag)) {
            let types = model.types.filter { $0.tag == tag }
            files["\(tag.map(Names.upperCamel) ?? "Shared").models.swift"] = render(types)
        }
        let tags = Set(model.operations.map(\.operation.tag)).sorted()
        for tag in tags {
            let operations = model.operations.filter { $0.operation.tag == tag }
            files["\(Names.upperCamel(tag)).operations.swift"] = render(operations, tag: tag)
        }
        files["Operations+All.swift"] = renderAll(tags)
        files["Paths.swift"] = render(model.paths)
        files["Queries.swift"] = try render(model.queries, builder)
        return files
    }

    private static func render(_ types: [Model.TypeDefinition]) -> String {
        var source = Source()
        let usesTimestamp = types.contains { type in
            if case .object(let fields, _) = type.kind { fields.contains(where: \.usesTimestamp) } else { false }
        }
        if usesTimestamp {
            source.line("package import Kernel")
            source.line()
        }
        for (index, type) in types.enumerated() {
            if index > 0 { source.line() }
            type.render(into: &source)
        }
        return source.text
    }

    private static func render(_ operations: [Model.OperationDefinition], tag: String) -> String {
        var source = Source()
        source.block("extension Operations") { source in
            for operation in operations {
                operation.render(into: &source)
                source.line()
            }
            source.line("/// The operations of the tag `\(tag)`, in the order of the contract.")
            source.block("package static var \(Names.lowerCamel(tag)): [OperationDescriptor]") { source in
                source.line("[")
                for operation in operations {
                    source.line("    \(operation.name).descriptor,")
                }
                source.line("]")
            }
        }
        return source.text
    }

    private static func renderAll(_ tags: [String]) -> String {
        var source = Source()
        source.block("extension Operations") { source in
            source.line("/// Every operation of the contract, by tag.")
            source.block("package static var all: [OperationDescriptor]") { source in
                source.line("var all: [OperationDescriptor] = []")
                for tag in tags {
                    source.line("all.append(contentsOf: \(Names.lowerCamel(tag)))")
                }
                source.line("return all")
            }
        }
        return source.text
    }

    private static func render(_ paths: [Model.PathDefinition]) -> String {
        var source = Source()
        for (index, path) in paths.enumerated() {
            if index > 0 { source.line() }
            path.render(into: &source)
        }
        return source.text
    }

    private static func render(
        _ queries: [Model.QueryDefinition],
        _ builder: ModelBuilder
    ) throws(GeneratorError) -> String {
        var source = Source()
        for (index, query) in queries.enumerated() {
            if index > 0 { source.line() }
            try query.render(builder.swiftType, into: &source)
        }
        return source.text
    }
}
