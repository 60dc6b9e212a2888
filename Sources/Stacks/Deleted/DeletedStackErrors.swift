import Kernel

extension ServiceError {
    static func deletedStackNotFound(_ id: String) -> ServiceError {
        ServiceError(.notFound, "Not Found: the organization has no deleted stack '\(id)' to bring back")
    }
}
