import Identity
import Kernel
import Testing

@Suite("Roles and levels")
struct RoleTests {
    @Test(
        "A permission on a stack needs the level of the contract's scale",
        arguments: [
            (StackPermission.read, StackAccessLevel.read), (.export, .read), (.decrypt, .read), (.write, .write),
            (.encrypt, .read), (.importState, .write), (.updateTags, .write), (.cancelUpdate, .write),
            (.rename, .admin), (.delete, .admin), (.transfer, .admin), (.updateAccess, .admin),
            (.deleteWebhook, .admin),
        ]
    )
    func needsLevel(permission: StackPermission, level: StackAccessLevel) {
        #expect(StackAccessLevel.needed(for: permission) == level)
    }

    @Test("Levels are ordered, the maker's on top")
    func ordersLevels() {
        #expect(StackAccessLevel.allCases.sorted() == [.none, .read, .write, .admin, .creator])
    }

    @Test("An administrator may do everything in the organization, a member the daily work, others nothing")
    func grants() {
        let daily: [OrganizationPermission] = [.listStacks, .createStack, .readMembers]
        let rare: [OrganizationPermission] = [.update, .readAuditLogs, .restoreDeletedStacks, .transferStacks]

        for permission in daily {
            #expect(OrganizationRole.admin.grants(permission) && OrganizationRole.member.grants(permission))
            #expect(!OrganizationRole.billingManager.grants(permission))
        }
        for permission in rare {
            #expect(OrganizationRole.admin.grants(permission))
            #expect(!OrganizationRole.member.grants(permission))
            #expect(!OrganizationRole.billingManager.grants(permission))
        }
    }

    @Test("A role gives its level on every stack before grants", arguments: StackAccessLevel.allCases)
    func givesLevel(standard: StackAccessLevel) {
        #expect(OrganizationRole.admin.stackLevel(default: standard) == .admin)
        #expect(OrganizationRole.member.stackLevel(default: standard) == standard)
        #expect(OrganizationRole.billingManager.stackLevel(default: standard) == .none)
    }
}
