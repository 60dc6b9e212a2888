/// The one error that crosses module borders.
///
/// Its message is written for the client and is safe to send; its cause is for the log only. `HTTPAPI` turns it into
/// the wire form (`spec/cli-protocol.md` §1.5) and is the only place that knows status numbers.
package struct ServiceError: Error, Sendable {
    /// What kind of failure it is.
    ///
    /// An open set: a code says what the caller can do, not where it happened.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        package let description: String

        package init(_ name: String) {
            description = name
        }
    }

    /// One field that was wrong, for the `errors` list of the wire form.
    package struct Detail: Sendable, Equatable {
        /// `required`, `invalid`, `already_exists`, `not_found` or `custom`.
        package var kind: String
        /// The field, as a path from the body (`tags.name`), a query parameter or a path parameter.
        package var attribute: String?
        package var resource: String?
        package var message: String?

        package init(kind: String, attribute: String? = nil, resource: String? = nil, message: String? = nil) {
            self.kind = kind
            self.attribute = attribute
            self.resource = resource
            self.message = message
        }
    }

    package var code: Code
    package var message: String
    package var details: [Detail]
    package var cause: (any Error)?

    /// How long a client should wait before it asks again, in seconds.
    ///
    /// Sent as `Retry-After`.
    package var retryAfter: Int?

    /// The word of RFC 6749 §5.2 for clients of the token exchange, such as `invalid_grant`.
    ///
    /// Sent as `error`, with the message as `error_description`.
    package var grantError: String?

    package init(
        _ code: Code,
        _ message: String,
        details: [Detail] = [],
        cause: (any Error)? = nil,
        retryAfter: Int? = nil,
        grantError: String? = nil
    ) {
        self.code = code
        self.message = message
        self.details = details
        self.cause = cause
        self.retryAfter = retryAfter
        self.grantError = grantError
    }
}

extension ServiceError.Code {
    package static let invalidArgument = Self("invalidArgument")
    package static let unauthenticated = Self("unauthenticated")
    package static let permissionDenied = Self("permissionDenied")
    package static let notFound = Self("notFound")
    package static let methodNotAllowed = Self("methodNotAllowed")
    package static let conflict = Self("conflict")
    package static let failedPrecondition = Self("failedPrecondition")
    package static let tooLarge = Self("tooLarge")
    package static let unsupportedMediaType = Self("unsupportedMediaType")
    package static let unprocessable = Self("unprocessable")
    package static let rateLimited = Self("rateLimited")
    package static let internalError = Self("internal")
    package static let unimplemented = Self("unimplemented")
    package static let unavailable = Self("unavailable")
}

extension ServiceError {
    /// A value that breaks a rule; the message begins with the field's name.
    package static func invalid(_ field: String, _ problem: String) -> ServiceError {
        ServiceError(
            .invalidArgument,
            "Bad Request: \(field): \(problem)",
            details: [Detail(kind: "invalid", attribute: field, message: problem)]
        )
    }

    /// A value that must be there and is not.
    package static func missing(_ field: String) -> ServiceError {
        ServiceError(
            .invalidArgument,
            "Bad Request: \(field): is required",
            details: [Detail(kind: "required", attribute: field, message: "is required")]
        )
    }

    /// Something the service needs is away; the client should come back.
    package static func unavailable(_ message: String, cause: (any Error)? = nil) -> ServiceError {
        ServiceError(.unavailable, message, cause: cause, retryAfter: 1)
    }
}
