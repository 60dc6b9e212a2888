package import Kernel

/// Decides who a request is from and whether it may go on.
///
/// `Identity` implements it. It alone knows the rule for hiding: without the right to read a thing the answer is
/// `.notFound`, with that right but without the one required it is `.permissionDenied`; without a valid credential it is
/// `.unauthenticated`.
package protocol Authorizer: Sendable {
    /// Admits the request, or throws a `ServiceError`.
    ///
    /// Called before a byte of the body is read, for every request but those to anonymous routes.
    ///
    /// - Parameters:
    ///   - credential: what was presented, already of the kind that `requirement` takes; nil for none.
    ///   - address: the client's address, for the actor and for limits on failures.
    func admit(
        _ credential: Credential?,
        to requirement: Requirement,
        from address: String
    ) async throws -> Admission
}

/// The outcome of a request's admission: who acts, and what was looked up on the way.
package struct Admission: Sendable {
    package var actor: Actor
    /// The organization of the path; nil when the requirement names none.
    package var organizationID: OrganizationID?
    /// The stack of the path; nil when the requirement names none.
    package var stackID: StackID?

    package init(actor: Actor, organizationID: OrganizationID? = nil, stackID: StackID? = nil) {
        self.actor = actor
        self.organizationID = organizationID
        self.stackID = stackID
    }
}
