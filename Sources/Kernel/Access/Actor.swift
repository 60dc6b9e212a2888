/// Who acts: the outcome of authentication, written into every audit event.
package struct Actor: Sendable, Hashable {
    package enum Kind: String, Sendable {
        case user
        case organizationToken = "organization-token"
        case teamToken = "team-token"
        /// The holder of the lease of a running update.
        case updateLease = "update-lease"
        /// The service itself: a job, or the installation.
        case system
        /// Nobody in particular: a request to an operation that asks for no credential.
        case anonymous
    }

    package var kind: Kind
    /// The person who acts.
    ///
    /// Nil for machine tokens, for the service itself and for a request without credential.
    package var userID: UserID?
    /// The user's login, the token's name, or the job's kind.
    package var login: String
    package var tokenID: AccessTokenID?
    package var isSiteAdmin: Bool
    /// The only organization that the credential is good in: that of a machine token, or the one that exchanged a token
    /// for a person.
    ///
    /// Nil where it is good in every organization its user belongs to.
    package var confinement: OrganizationID?
    /// Whether a machine token has the rights of an administrator of its organization, rather than a member's.
    package var isOrganizationAdmin: Bool
    /// The address the request came from, for the audit log.
    package var sourceAddress: String?

    package init(
        kind: Kind,
        userID: UserID?,
        login: String,
        tokenID: AccessTokenID? = nil,
        isSiteAdmin: Bool = false,
        confinement: OrganizationID? = nil,
        isOrganizationAdmin: Bool = false,
        sourceAddress: String? = nil
    ) {
        self.kind = kind
        self.userID = userID
        self.login = login
        self.tokenID = tokenID
        self.isSiteAdmin = isSiteAdmin
        self.confinement = confinement
        self.isOrganizationAdmin = isOrganizationAdmin
        self.sourceAddress = sourceAddress
    }

    /// The service acting by itself, under the name of what makes it act.
    package static func system(_ name: String) -> Actor {
        Actor(kind: .system, userID: nil, login: name)
    }

    /// Whoever calls an operation that asks for no credential.
    package static func anonymous(from address: String?) -> Actor {
        Actor(kind: .anonymous, userID: nil, login: "anonymous", sourceAddress: address)
    }
}
