import Kernel

/// The words of RFC 6749 §5.2 and RFC 8693 §2.2.2.
enum GrantError: String, Sendable {
    case invalidRequest = "invalid_request"
    case invalidGrant = "invalid_grant"
    case invalidScope = "invalid_scope"
    case invalidTarget = "invalid_target"
    case unsupportedGrantType = "unsupported_grant_type"
    case accessDenied = "access_denied"
    case temporarilyUnavailable = "temporarily_unavailable"
}

extension ServiceError {
    /// A refusal of the exchange; clients print the body as it is.
    ///
    /// It never holds anything of the token but what the client named elsewhere in its request.
    static func exchange(_ error: GrantError, _ problem: String, cause: (any Error)? = nil) -> ServiceError {
        let (code, word): (Code, String) =
            switch error {
            case .accessDenied: (.permissionDenied, "Forbidden")
            case .temporarilyUnavailable: (.unavailable, "Service Unavailable")
            default: (.invalidArgument, "Bad Request")
            }
        return ServiceError(
            code,
            "\(word): \(problem)",
            cause: cause,
            retryAfter: error == .temporarilyUnavailable ? 5 : nil,
            grantError: error.rawValue
        )
    }

    /// The same for an organization that there is none of, so that nobody learns which there are.
    static func noIssuer(_ organization: OrganizationName) -> ServiceError {
        exchange(
            .invalidGrant,
            "the subject_token is not taken: no issuer of its claim 'iss' is registered for '\(organization)'"
        )
    }
}
