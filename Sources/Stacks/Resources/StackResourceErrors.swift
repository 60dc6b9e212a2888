import Kernel

extension ServiceError {
    static func resourceNotFound(_ urn: String, version: Int) -> ServiceError {
        ServiceError(.notFound, "Not Found: version \(version) of the stack has no resource '\(urn)'")
    }
}
