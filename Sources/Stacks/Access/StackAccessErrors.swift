import Kernel

extension ServiceError {
    static func memberNotFound(_ login: String) -> ServiceError {
        ServiceError(.notFound, "Not Found: the organization has no member '\(login)'")
    }

    static func collaboratorNotFound(_ login: String) -> ServiceError {
        ServiceError(.notFound, "Not Found: '\(login)' has no permission of their own on the stack")
    }
}
