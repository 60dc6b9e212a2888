/// One operation of the contract: what it takes, what it gives, and where it stands.
///
/// Conforming types are generated; they have no instances. Code that handles an operation is bound to its type, so that
/// a handler with the wrong body or answer does not compile.
package protocol APIOperation: Sendable {
    associatedtype Path: OperationPath
    associatedtype Query: OperationQuery
    associatedtype Body: OperationBody
    associatedtype Output: OperationOutput

    static var descriptor: OperationDescriptor { get }
}

/// The operations of the contract, one nested type each.
package enum Operations {}

// MARK: - Path

/// The parameters of a path, as text.
///
/// Rules about names belong to whoever uses them.
package protocol OperationPath: Sendable {
    /// The names of the parameters, in the order of the path.
    static var parameters: [String] { get }

    /// - Parameter pathValues: the decoded values, one for each of `parameters` and in that order.
    init(pathValues: [String])
}

/// A path without parameters.
package struct NoPath: OperationPath {
    package static let parameters: [String] = []

    package init(pathValues: [String] = []) {}
}

// MARK: - Query

/// The query parameters of an operation.
///
/// Unknown parameters are ignored, wrong ones are refused by name.
package protocol OperationQuery: Sendable {
    static var parameters: [QueryParameterDescriptor] { get }

    init(_ query: QueryParameters) throws(WireError)
}

/// A query of which nothing is read.
package struct NoQuery: OperationQuery {
    package static let parameters: [QueryParameterDescriptor] = []

    package init(_ query: QueryParameters = QueryParameters()) {}
}
