package import Kernel

/// Decides who a request is from and whether it may go on.
///
/// `Identity` implements it. It alone knows the rule for hiding: without the right to read a thing the answer is
/// `.notFound`, with that right but without the one required it is `.permissionDenied`; without a valid credential it is
/// `.unauthenticated`.
package protocol Authorizer: Sendable {
    /// Admits the request, or throws a `ServiceError`; in an `AdmissionRefusal`, when it is known who is refused.
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

/// A refusal of somebody whose credential is good: the log says who it was.
package struct AdmissionRefusal: Error {
    package var actor: Actor
    package var reason: ServiceError

    package init(of actor: Actor, _ reason: ServiceError) {
        self.actor = actor
        self.reason = reason
    }
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
