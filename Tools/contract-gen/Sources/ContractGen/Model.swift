/// What is going to be written: every type with its fields, its direction, and its file.
package struct Model {
    package var types: [TypeDefinition] = []
    package var operations: [OperationDefinition] = []
    package var paths: [PathDefinition] = []
    package var queries: [QueryDefinition] = []

    package struct Direction: OptionSet, Sendable {
        package let rawValue: Int

        package init(rawValue: Int) {
            self.rawValue = rawValue
        }

        package static let read = Direction(rawValue: 1)
        package static let write = Direction(rawValue: 2)
    }

    package struct TypeDefinition {
        package var name: String
        package var wireName: String
        package var direction: Direction
        /// The tag whose operations use it, or nil where several do.
        package var tag: String?
        package var reasons: [String]
        package var kind: Kind
    }

    package enum Kind {
        case object([Field], discriminator: (field: String, word: String)?)
        case union(field: String, [(name: String, word: String, type: String)], isIndirect: Bool)
        case words([(name: String, word: String)])
        case codes([(name: String, code: Int)])
    }

    package struct Field {
        package var wireName: String
        package var name: String
        package var type: TypeNode
        /// The Swift type without `?`.
        package var swiftType: String
        package var isOptional: Bool
        /// Whether reading fails without it, also where an empty value would do.
        package var isDemanded: Bool
        /// The Swift types in it, for lists and maps.
        package var elementType: String
    }

    package struct OperationDefinition {
        package var name: String
        package var operation: Contract.Operation
        package var path: String
        package var query: String
        package var body: String
        package var output: String
        package var successStatus: Int
    }

    package struct PathDefinition {
        package var name: String
        package var parameters: [String]
        package var scopes: [String]
    }

    package struct QueryDefinition {
        package var name: String
        package var parameters: [Contract.QueryParameter]
        package var users: [String]
    }
}
