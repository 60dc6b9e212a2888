package import Kernel
import Persistence

/// A person with an account.
package struct User: Sendable, Equatable {
    package var id: UserID
    package var login: OrganizationName
    package var name: String
    package var email: String
    package var avatarURL: String
    package var isSiteAdmin: Bool
    package var defaultOrganization: OrganizationID?
    package var createdAt: Timestamp

    package init(
        id: UserID,
        login: OrganizationName,
        name: String,
        email: String = "",
        avatarURL: String = "",
        isSiteAdmin: Bool = false,
        defaultOrganization: OrganizationID? = nil,
        createdAt: Timestamp
    ) {
        self.id = id
        self.login = login
        self.name = name
        self.email = email
        self.avatarURL = avatarURL
        self.isSiteAdmin = isSiteAdmin
        self.defaultOrganization = defaultOrganization
        self.createdAt = createdAt
    }
}

/// What a user is in an organization, in the contract's words (`OrganizationRole`).
package enum OrganizationRole: String, Sendable, CaseIterable {
    case member
    case admin
    case billingManager = "billing-manager"
}

/// What everybody of an organization sees of it.
package struct Organization: Sendable, Equatable {
    package var id: OrganizationID
    package var name: OrganizationName
    package var displayName: String
}

/// An organization as one of its members sees it.
package struct Membership: Sendable, Equatable {
    package var organization: OrganizationID
    package var name: OrganizationName
    package var displayName: String
    package var role: OrganizationRole
}

extension Membership {
    init(_ organization: Organization, role: OrganizationRole) {
        self.init(
            organization: organization.id,
            name: organization.name,
            displayName: organization.displayName,
            role: role
        )
    }
}
