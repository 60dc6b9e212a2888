package import Kernel

/// What the caller of one request must be allowed to do: an access rule with the names of the request's path filled in.
package enum Requirement: Sendable, Hashable {
    /// Nobody is asked; a credential is not even looked at.
    case anonymous
    /// Anybody whose credential is valid.
    case authenticated
    /// An administrator of the installation.
    case siteAdmin
    case organization(OrganizationPermission, OrganizationName)
    /// A right of the organization, on one of its projects.
    case project(OrganizationPermission, ProjectRef)
    case stack(StackPermission, StackRef)
    /// The holder of the lease of this running update of this stack.
    case updateLease(UpdateID, StackRef)
}
