import Kernel

extension ServiceError {
    static let issuerNotFound = ServiceError(.notFound, "Not Found: OIDC issuer not found")
    static let policyNotFound = ServiceError(.notFound, "Not Found: authorization policy not found")

    static let issuerIsRegistered = ServiceError(
        .conflict,
        "Conflict: the organization has registered this issuer already.",
        details: [Detail(kind: "already_exists", attribute: "url")]
    )

    static let keysAreGiven = ServiceError(
        .invalidArgument,
        "Bad Request: the keys of this issuer were given with it, so no certificate is looked at."
    )

    /// For who registers an issuer: enough to correct the URL, and nothing of what stands behind it.
    static func unreachable(_ cause: IssuerUnreachable) -> ServiceError {
        let problem =
            switch cause {
            case .addressRefused:
                "is at an address that this server does not connect to; its operator can allow it (CAIRN_OUTBOUND_ALLOW)"
            case .untrustedCertificate:
                "has a certificate that no known authority signed; give its SHA-256 in 'thumbprints' to trust it"
            case .noDocument:
                "does not lead to a discovery document and keys (/.well-known/openid-configuration) that can be used"
            }
        var error = ServiceError.invalid("url", problem)
        error.cause = cause
        return error
    }
}
