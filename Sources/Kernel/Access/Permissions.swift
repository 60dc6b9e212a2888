/// A right on one kind of resource, in the contract's words (`RbacPermission`).
package protocol Permission: Hashable, Sendable, CustomStringConvertible {
    /// The contract's scope, such as `stack:read`.
    var scope: String { get }
}

extension Permission {
    package var description: String { scope }
}

/// A right on one stack.
package struct StackPermission: Permission {
    package let scope: String

    package static let read = Self(scope: "stack:read")
    package static let write = Self(scope: "stack:write")
    package static let rename = Self(scope: "stack:rename")
    package static let delete = Self(scope: "stack:delete")
    package static let transfer = Self(scope: "stack:transfer")
    package static let export = Self(scope: "stack:export")
    package static let importState = Self(scope: "stack:import")
    package static let encrypt = Self(scope: "stack:encrypt")
    package static let decrypt = Self(scope: "stack:decrypt")
    package static let cancelUpdate = Self(scope: "stack:cancel_update")
    package static let updateTags = Self(scope: "stack_tags:update")
    package static let readAccess = Self(scope: "stack_access:read")
    package static let updateAccess = Self(scope: "stack_access:update")
    package static let readAnnotations = Self(scope: "stack_annotations:read")
    package static let updateAnnotations = Self(scope: "stack_annotations:update")
    package static let createDeployment = Self(scope: "stack_deployment:create")
    package static let readDeployment = Self(scope: "stack_deployment:read")
    package static let readWebhook = Self(scope: "stack_webhook:read")
    package static let createWebhook = Self(scope: "stack_webhook:create")
    package static let updateWebhook = Self(scope: "stack_webhook:update")
    package static let deleteWebhook = Self(scope: "stack_webhook:delete")
}

/// A right on an organization as a whole.
package struct OrganizationPermission: Permission {
    package let scope: String

    package static let listStacks = Self(scope: "stack:list")
    package static let createStack = Self(scope: "stack:create")
    package static let listDeletedStacks = Self(scope: "stack:list_deleted")
    package static let restoreDeletedStacks = Self(scope: "stack:restore_deleted")
    package static let encryptProject = Self(scope: "project:encrypt")
    package static let decryptProject = Self(scope: "project:decrypt")
    package static let update = Self(scope: "organization:update")
    package static let transferStacks = Self(scope: "organization:transfer_stacks")
    package static let readMembers = Self(scope: "org_member:read")
    package static let readTokens = Self(scope: "org_token:read")
    package static let createToken = Self(scope: "org_token:create")
    package static let deleteToken = Self(scope: "org_token:delete")
    package static let readIssuers = Self(scope: "oidc_issuers:read")
    package static let createIssuer = Self(scope: "oidc_issuers:create")
    package static let updateIssuer = Self(scope: "oidc_issuers:update")
    package static let deleteIssuer = Self(scope: "oidc_issuers:delete")
    package static let regenerateThumbprints = Self(scope: "oidc_issuers:regenerate_thumbprints")
    package static let readAuthorizationPolicies = Self(scope: "auth_policies:read")
    package static let updateAuthorizationPolicies = Self(scope: "auth_policies:update")
    package static let readAuditLogs = Self(scope: "audit_logs:read")
}
