package import Contract
package import Kernel

/// Who may call an operation, as data beside the route.
///
/// It can be printed, and it fits only paths that name the resource it speaks of: a rule about a stack does not compile
/// for a path without one.
package struct Access<Path: OperationPath>: Sendable {
    /// As `docs/routes.txt` shows it: `stack(stack:rename)`.
    package let description: String
    /// The kind of credential it is met with; nil when none is looked at.
    let credential: Credential.Kind?
    let requirement: @Sendable (Path) throws(ServiceError) -> Requirement

    private init(
        _ description: String,
        _ credential: Credential.Kind? = .token,
        _ requirement: @escaping @Sendable (Path) throws(ServiceError) -> Requirement
    ) {
        self.description = description
        self.credential = credential
        self.requirement = requirement
    }

    /// Everybody, with or without a credential, even with a bad one.
    package static var anonymous: Self {
        Self("anonymous", nil) { _ throws(ServiceError) in .anonymous }
    }

    /// Everybody with a valid credential; for operations about the caller.
    package static var authenticated: Self {
        Self("authenticated") { _ throws(ServiceError) in .authenticated }
    }

    package static var siteAdmin: Self {
        Self("site-admin") { _ throws(ServiceError) in .siteAdmin }
    }
}

extension Access where Path: OrganizationScoped {
    package static func organization(_ permission: OrganizationPermission) -> Self {
        Self("organization(\(permission))") { path throws(ServiceError) in
            .organization(permission, try path.organization())
        }
    }
}

extension Access where Path: ProjectScoped {
    package static func project(_ permission: OrganizationPermission) -> Self {
        Self("project(\(permission))") { path throws(ServiceError) in
            .project(permission, try path.project())
        }
    }
}

extension Access where Path: StackScoped {
    package static func stack(_ permission: Kernel.StackPermission) -> Self {
        Self("stack(\(permission))") { path throws(ServiceError) in
            .stack(permission, try path.stack())
        }
    }
}

extension Access where Path: UpdateScoped {
    /// The holder of the lease of the update in the path; see `spec/cli-protocol.md` §10.5.
    package static var updateLease: Self {
        Self("update-lease", .updateToken) { path throws(ServiceError) in
            .updateLease(try path.update(), try path.stack())
        }
    }
}
