/// The method of an operation, as it stands in a request line.
package enum OperationMethod: String, Sendable, CaseIterable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
}

/// What can be known of an operation without running it: for the router, the documentation and the tests.
package struct OperationDescriptor: Sendable {
    /// The name in the contract, unique: `renameStack`.
    package let id: String
    /// The part of the contract it stands in: `stacks`.
    package let tag: String
    package let method: OperationMethod
    /// The path with its parameters in braces: `/api/orgs/{orgName}/teams`.
    ///
    /// A parameter is always a whole segment.
    package let path: String
    /// The parameters of the path, in the order of the path.
    package let pathParameters: [String]
    package let queryParameters: [QueryParameterDescriptor]
    /// The media types of the body; empty when there is none.
    package let requestContentTypes: [String]
    /// The media types of the answer, the usual one first.
    package let responseContentTypes: [String]
    /// The status of success.
    package let successStatus: Int
    /// Whether the caller presents the token of a running update instead of an access token.
    package let usesUpdateToken: Bool
    /// Whether fields of the body that the contract does not have are passed over; elsewhere they are refused by name.
    ///
    /// Clients that are released on their own send what they know of, and expect servers to take what those know of.
    package let ignoresUnknownFields: Bool

    @inline(never)
    package init(
        id: String,
        tag: String,
        method: OperationMethod,
        path: String,
        pathParameters: [String] = [],
        queryParameters: [QueryParameterDescriptor] = [],
        requestContentTypes: [String] = [],
        responseContentTypes: [String] = ["application/json"],
        successStatus: Int = 200,
        usesUpdateToken: Bool = false,
        ignoresUnknownFields: Bool = false
    ) {
        self.id = id
        self.tag = tag
        self.method = method
        self.path = path
        self.pathParameters = pathParameters
        self.queryParameters = queryParameters
        self.requestContentTypes = requestContentTypes
        self.responseContentTypes = responseContentTypes
        self.successStatus = successStatus
        self.usesUpdateToken = usesUpdateToken
        self.ignoresUnknownFields = ignoresUnknownFields
    }
}

/// One parameter of a query.
package struct QueryParameterDescriptor: Sendable, Equatable {
    package enum Kind: Sendable {
        case string
        case integer
        case boolean
    }

    package let name: String
    package let kind: Kind
    package let isRequired: Bool
    /// Whether it may come several times (`k=a&k=b`, the only form of list in the contract).
    package let isList: Bool

    @inline(never)
    package init(_ name: String, _ kind: Kind, required: Bool = false, list: Bool = false) {
        self.name = name
        self.kind = kind
        isRequired = required
        isList = list
    }
}
