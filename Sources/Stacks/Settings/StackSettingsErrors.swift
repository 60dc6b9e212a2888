import Kernel

extension ServiceError {
    static func ownerUnknown(_ login: String) -> ServiceError {
        .invalid("githubLogin", "no member of the organization has the login '\(login)'")
    }
}
