import Contract
import Kernel

// Every message that HTTPAPI itself sends.

extension ServiceError {
    /// Two credentials in one request.
    static let severalCredentials = ServiceError(
        .invalidArgument,
        "Bad Request: Authorization: there is more than one; send one"
    )

    static let noCredential = ServiceError(
        .unauthenticated,
        "Unauthorized: No credentials provided or are invalid."
    )

    /// On routes for the holder of a lease: 401 would make the client tell its user to log in.
    static let noLease = ServiceError(
        .permissionDenied,
        "Forbidden: this request takes the token of a running update"
    )

    static let noSuchUpdate = ServiceError(.notFound, "Not Found: Update not found")

    /// Worded so that it cannot be taken for a missing entity.
    static func noRoute(_ method: String, _ path: String) -> ServiceError {
        ServiceError(.notFound, "Not Found: no such route: \(method.prefix(20)) \(path.prefix(200))")
    }

    static func methodNotAllowed(_ method: String, _ allowed: [String]) -> ServiceError {
        ServiceError(
            .methodNotAllowed,
            "Method Not Allowed: \(method.prefix(20)) is not offered here; use \(allowed.joined(separator: ", "))"
        )
    }

    static func malformedPath(_ problem: PathSegments.Problem) -> ServiceError {
        let text =
            switch problem {
            case .badEscape: "has a '%' without two hexadecimal digits"
            case .nul: "has a NUL"
            case .dots: "has a segment '.' or '..'"
            case .tooMany: "has too many segments"
            }
        return ServiceError(.invalidArgument, "Bad Request: the path \(text)")
    }

    static func unimplemented(_ operation: String) -> ServiceError {
        ServiceError(.unimplemented, "Not Implemented: this server does not offer the operation \(operation) yet")
    }

    static func unknownField(_ field: FieldPath) -> ServiceError {
        .invalid(field.description, "is not a field of this request")
    }

    static func unknownEncoding(_ name: String) -> ServiceError {
        ServiceError(
            .unsupportedMediaType,
            "Unsupported Media Type: Content-Encoding: takes gzip or identity, found \(name.prefix(40))"
        )
    }

    static func notJSON(_ type: String) -> ServiceError {
        ServiceError(
            .unsupportedMediaType,
            "Unsupported Media Type: Content-Type: takes application/json, found \(type.prefix(80))"
        )
    }

    static let noBody = ServiceError.missing("body")

    /// The request was cancelled: its client has left and reads no answer, or the server stops and one can come back.
    static let cutOff = ServiceError.unavailable("Service Unavailable: the request was cut off; try again")

    /// What a client is told of an error that is no `ServiceError`: nothing but where to look.
    static func unexpected(_ cause: any Error) -> ServiceError {
        ServiceError(
            .internalError,
            "Internal Server Error: something went wrong; the server's log has more under this request ID",
            cause: cause
        )
    }
}
