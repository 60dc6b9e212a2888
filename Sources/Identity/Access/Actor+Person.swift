package import Kernel

extension Actor {
    /// The person who acts.
    ///
    /// - Throws: `.permissionDenied` for machine tokens and the service itself.
    package func requireUser() throws -> UserID {
        guard kind == .user, let userID else { throw ServiceError.personNeeded }
        return userID
    }

    /// The person who acts with all that their account may do: who holds a token that was exchanged for one
    /// organization is refused, or it could make itself a token for every other one.
    ///
    /// - Throws: `.permissionDenied`.
    package func requireAccountHolder() throws -> UserID {
        let user = try requireUser()
        guard confinement == nil else { throw ServiceError.accountHolderNeeded }
        return user
    }
}
