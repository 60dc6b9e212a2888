package import Kernel

/// A request that does not have the form of its operation.
///
/// Its text names the field, what was found and what the field takes, and is written for the client.
package struct WireError: Error, Equatable {
    /// The field as a path from the body (`tags.name`), or the name of a query or path parameter.
    package var field: String

    /// What is wrong with the value; nil when there is none.
    package var problem: String?

    package init(_ field: String, _ problem: String?) {
        self.field = field
        self.problem = problem
    }

    /// A value that must be there and is not.
    package static func missing(_ path: FieldPath) -> WireError {
        WireError(path.description, nil)
    }

    /// A value of another type than the field takes.
    ///
    /// Both are phrases: `an integer`, `a string`.
    package static func mismatch(_ path: FieldPath, takes expected: String, found: String) -> WireError {
        WireError(path.description, "takes \(expected), found \(found)")
    }
}

extension ServiceError {
    /// What the client is told: 400 with the field and the problem.
    package init(_ error: WireError) {
        if let problem = error.problem {
            self = .invalid(error.field, problem)
        } else {
            self = .missing(error.field)
        }
    }

    /// What the client is told when the body is not JSON, or is more than this operation takes.
    package init(_ error: JSONError) {
        switch error.kind {
        case .tooLarge:
            self = ServiceError(.tooLarge, "Content Too Large: \(FieldPath.wholeBody): \(error.problem)")
        case .syntax, .tooDeep, .duplicateName:
            self = .invalid(FieldPath.wholeBody, error.description)
        }
    }
}
