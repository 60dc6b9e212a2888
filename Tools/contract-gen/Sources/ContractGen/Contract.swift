/// The contract as it stands in the file, with the overrides applied.
package struct Contract {
    package var operations: [Operation]
    package var schemas: [String: Schema]
    /// Names of the structs of parameter lists, by the list (`orgName,projectName`).
    package var pathNames: [String: String] = [:]
    package var queryNames: [String: String] = [:]

    package struct Operation {
        package var id: String
        package var tag: String
        package var method: String
        package var path: String
        package var pathParameters: [String]
        package var queryParameters: [QueryParameter]
        package var body: Body
        package var output: Output
        package var requestContentTypes: [String]
        package var responseContentTypes: [String]
        package var hasRevisionHeaders: Bool
        package var usesUpdateToken: Bool
        package var ignoresUnknownFields = false
        /// Why it differs from the file.
        package var reasons: [String] = []
    }

    package struct QueryParameter: Equatable {
        package var name: String
        package var type: TypeNode
        package var isRequired: Bool
    }

    package enum Body: Equatable {
        case none
        case json(TypeNode)
        case rawJSON
        case raw
    }

    package enum Output: Equatable {
        case none
        case json(TypeNode)
        case raw
    }

    package struct Schema {
        package var name: String
        package var swiftName: String
        package var properties: [Property] = []
        package var words: [String] = []
        /// The numbers of an integer enumeration, whose names are `words`.
        package var codes: [Int] = []
        package var isEnumeration = false
        package var parent: String?
        package var isAbstract = false
        package var discriminator: Discriminator?
        package var discriminatorValue: String?
        package var reasons: [String] = []
    }

    package struct Property: Equatable {
        package var name: String
        package var type: TypeNode
        package var isRequired: Bool
        /// Whether a request without it is refused.
        package var isDemanded = false
        package var isDiscriminator: Bool
    }

    package struct Discriminator {
        package var field: String
        package var subtypes: [(word: String, schema: String)]
    }
}

/// A type in the contract.
package indirect enum TypeNode: Equatable, Hashable, Sendable {
    case string
    case integer
    case number
    case boolean
    case time
    case base64
    /// Free-form JSON.
    case any
    case reference(String)
    case list(TypeNode)
    case map(TypeNode)

    package init(_ json: JSON) throws(GeneratorError) {
        if let reference = json["ref"]?.string {
            self = .reference(reference)
        } else if let items = json["items"] {
            self = .list(try TypeNode(items))
        } else if let map = json["map"] {
            self = .map(try TypeNode(map))
        } else {
            switch (json["type"]?.string, json["format"]?.string) {
            case ("string", nil): self = .string
            case ("string", "date-time"): self = .time
            case ("string", "byte"): self = .base64
            case ("integer", nil): self = .integer
            case ("number", nil): self = .number
            case ("boolean", nil): self = .boolean
            case ("any", nil): self = .any
            default: throw GeneratorError("no type that is known: \(json)")
            }
        }
    }

    /// The schema named anywhere in the type.
    package var reference: String? {
        switch self {
        case .reference(let name): name
        case .list(let inner), .map(let inner): inner.reference
        default: nil
        }
    }
}
