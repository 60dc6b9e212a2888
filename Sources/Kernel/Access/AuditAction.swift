/// What an audit event says was done: a slug of the contract's event catalogue (`spec/rest-wider.md` §8), or one of ours
/// in the same style where the catalogue has none.
package struct AuditAction: Hashable, Sendable, CustomStringConvertible {
    package let slug: String

    package init(_ slug: String) {
        self.slug = slug
    }

    package var description: String { slug }
}

extension AuditAction {
    // Identity
    package static let personalTokenCreated = Self("personal-token-created")
    package static let personalTokenDeleted = Self("personal-token-deleted")
    package static let organizationTokenCreated = Self("organization-token-created")
    package static let organizationTokenDeleted = Self("organization-token-deleted")
    package static let issuerRegistered = Self("oidc-issuer-registered")
    package static let issuerUpdated = Self("oidc-issuer-updated")
    package static let issuerDeleted = Self("oidc-issuer-deleted")
    package static let issuerValidationFailed = Self("oidc-issuer-validation-failed")
    package static let authorizationPolicyUpdated = Self("authorization-policy-updated")
    package static let organizationTokenExchanged = Self("organization-token-created-for-oidc-issuer")
    package static let personalTokenExchanged = Self("personal-token-created-for-oidc-issuer")
    package static let defaultOrganizationChanged = Self("default-organization-changed")
    package static let serverInstalled = Self("server-installed")

    // Stacks
    package static let stackCreated = Self("stack-created")
    package static let stackDeleted = Self("stack-deleted")
    package static let stackRestored = Self("stack-restored")
    package static let stackRenamed = Self("stack-renamed")
    package static let stackTransferred = Self("stack-transferred-to-organization")
    package static let stackTagsUpdated = Self("stack-tags-updated")
    package static let stackExported = Self("stack-exported")
    package static let stackImported = Self("stack-imported")
    package static let stackOutputsRead = Self("stack-outputs-read")
    package static let stackConfigUpdated = Self("stack-config-updated")
    package static let stackConfigDeleted = Self("stack-config-deleted")
    package static let stackAnnotationsUpdated = Self("stack-annotations-updated")
    package static let stackNotificationsUpdated = Self("stack-notifications-updated")
    package static let stackOwnerChanged = Self("stack-owner-changed")
    package static let stackCollaboratorRemoved = Self("stack-collaborator-removed")
    package static let updateCreated = Self("stack-update-created")
    package static let updateStarted = Self("stack-update-started")
    package static let updateCompleted = Self("stack-update-completed")
    package static let updateCanceled = Self("stack-update-canceled")
    package static let secretsEncrypted = Self("secrets-encrypted")
    package static let secretDecrypted = Self("secret-decrypted")
    package static let secretsBatchDecrypted = Self("secrets-batch-decrypted")
}
