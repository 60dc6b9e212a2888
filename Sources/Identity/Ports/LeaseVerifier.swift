package import Kernel
package import Persistence

/// Says who holds the lease of a running update.
///
/// Satisfied by `Stacks`.
package protocol LeaseVerifier: Sendable {
    /// The holder of the update whose token this is.
    ///
    /// Only whether the token belongs to the update is decided here; whether the update may still write is decided again
    /// inside the transaction that writes (`design/reliability-security.md` D4).
    ///
    /// - Throws: `.notFound` when the stack has no such update, `.permissionDenied` when the token is another one.
    func holder(token: String, update: UpdateID, of stack: StackRef, in tx: Transaction) throws -> LeaseHolder
}

/// Who acts with the token of an update: the one who started it.
package struct LeaseHolder: Sendable {
    package var user: UserID?
    package var login: String
    package var organization: OrganizationID
    package var stack: StackID

    package init(user: UserID?, login: String, organization: OrganizationID, stack: StackID) {
        self.user = user
        self.login = login
        self.organization = organization
        self.stack = stack
    }
}
