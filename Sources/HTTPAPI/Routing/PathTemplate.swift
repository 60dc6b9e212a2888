/// The path of an operation as the contract writes it: `/api/stacks/{orgName}/{projectName}`.
package struct PathTemplate: Sendable, Hashable, CustomStringConvertible {
    package enum Part: Sendable, Hashable {
        case literal(String)
        case parameter(String)
    }

    package let description: String
    package let parts: [Part]
    /// The names of the parameters and the positions of their segments, in the order of the path.
    package let parameters: [(name: String, segment: Int)]

    /// Traps when `text` is no template: templates are written by us.
    package init(_ text: String) {
        precondition(text.hasPrefix("/"), "a path begins with '/': \(text)")
        description = text
        parts = text.split(separator: "/").map { segment in
            segment.hasPrefix("{") && segment.hasSuffix("}")
                ? .parameter(String(segment.dropFirst().dropLast())) : .literal(String(segment))
        }
        precondition(parts.count <= PathSegments.limit, "a path has at most \(PathSegments.limit) segments: \(text)")
        parameters = parts.enumerated().compactMap { index, part in
            if case .parameter(let name) = part { (name, index) } else { nil }
        }
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.description == right.description
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(description)
    }
}
