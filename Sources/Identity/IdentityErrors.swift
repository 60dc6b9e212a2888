package import Kernel

extension ServiceError {
    /// The one answer to every credential that is not good, so that nothing can be learnt from it.
    package static let badCredentials = ServiceError(
        .unauthenticated,
        "Unauthorized: No credentials provided or are invalid."
    )

    static func nameIsTaken(_ name: OrganizationName) -> ServiceError {
        ServiceError(
            .conflict,
            "Conflict: the name '\(name)' is taken.",
            details: [Detail(kind: "already_exists", attribute: "name")]
        )
    }

    static func nameIsReserved(_ name: OrganizationName) -> ServiceError {
        .invalid("name", "'\(name)' is reserved")
    }

    package static func organizationNotFound(_ name: String) -> ServiceError {
        ServiceError(.notFound, "Not Found: organization '\(name)' not found")
    }

    static func stackNotFound(_ reference: String) -> ServiceError {
        ServiceError(.notFound, "Not Found: stack '\(reference)' not found")
    }

    static func permissionMissing(_ scope: String) -> ServiceError {
        ServiceError(.permissionDenied, "Forbidden: this needs the permission '\(scope)'.")
    }

    static let personNeeded = ServiceError(
        .permissionDenied,
        "Forbidden: this needs the token of a person; the one presented belongs to an organization."
    )

    static let accountHolderNeeded = ServiceError(
        .permissionDenied,
        "Forbidden: this needs a person's own token; the one presented was exchanged for use in one organization."
    )

    static let siteAdministratorNeeded = ServiceError(
        .permissionDenied,
        "Forbidden: this needs a site administrator."
    )

    static let noPendingEmailChange = ServiceError(
        .notFound,
        "Not Found: no change of your address is pending; addresses change at once here"
    )

    static func tokenNameIsTaken(_ name: String) -> ServiceError {
        ServiceError(
            .conflict,
            "Conflict: the organization has, or had, a token named '\(name)'; names are not used again.",
            details: [Detail(kind: "already_exists", attribute: "name")]
        )
    }

    static let customRolesNotOffered = ServiceError.invalid(
        "roleID",
        "custom roles are not offered; leave it out, and set 'admin' for a token with an administrator's rights"
    )

    static func tokenNotFound() -> ServiceError {
        ServiceError(.notFound, "Not Found: access token not found")
    }

    /// For routes of a running update: never 401, which would tell the user to log in again.
    static let leaseNeeded = ServiceError(.permissionDenied, "Forbidden: this needs the token of the running update.")
}
