import Kernel

extension ServiceError {
    static let transferChangesNothing = ServiceError.invalid("toOrg", "is the organization that the stack is in")

    /// Also for an organization that exists and that the caller does not belong to.
    static func transferTargetUnknown(_ name: OrganizationName) -> ServiceError {
        ServiceError(.notFound, "Not Found: organization '\(name)' not found, or you cannot make stacks in it")
    }
}
