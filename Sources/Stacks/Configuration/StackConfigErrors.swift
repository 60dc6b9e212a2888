import Kernel

extension ServiceError {
    static func configurationNotFound(_ ref: StackRef) -> ServiceError {
        ServiceError(.notFound, "Not Found: the configuration of stack '\(ref)' is not in an environment")
    }
}
