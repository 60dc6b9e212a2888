package import Kernel

/// How much of a stack somebody may use, on the contract's scale (`StackPermission`, `spec/rest-wider.md` §5).
package enum StackAccessLevel: Int, Sendable, Comparable, CaseIterable {
    case none = 0
    case read = 101
    case write = 102
    case admin = 103
    case creator = 104

    package static func < (left: Self, right: Self) -> Bool {
        left.rawValue < right.rawValue
    }

    /// The level that a permission needs.
    package static func needed(for permission: StackPermission) -> StackAccessLevel {
        switch permission {
        // Encrypting as well: a preview does it, and a ciphertext by itself changes nothing.
        case .read, .export, .encrypt, .decrypt, .readDeployment, .readAnnotations: .read
        case .write, .importState, .cancelUpdate, .updateTags, .updateAnnotations, .createDeployment: .write
        default: .admin
        }
    }
}

extension OrganizationRole {
    /// Whether the role by itself grants something in its organization.
    package func grants(_ permission: OrganizationPermission) -> Bool {
        switch self {
        case .admin:
            true
        case .member:
            Self.memberPermissions.contains(permission)
        case .billingManager:
            false
        }
    }

    /// What the role gives on every stack of its organization, before direct grants.
    package func stackLevel(default level: StackAccessLevel) -> StackAccessLevel {
        switch self {
        case .admin: .admin
        case .member: level
        case .billingManager: .none
        }
    }

    private static let memberPermissions: Set<OrganizationPermission> = [
        .listStacks, .createStack, .readMembers, .encryptProject, .decryptProject,
    ]
}
