import Contract
package import HTTPAPI
import Kernel

/// What the caller's account says about addresses and invitations.
///
/// The server sends no mail: it verifies no address, an address changes at once and not after a link in a mail, and
/// people are added to organizations instead of invited. So the answers are the same for everybody.
package struct EmailRoutes: RouteGroup {
    package init() {}

    package func register(on routes: inout RouteTable) {
        routes.query(Operations.GetUserHasVerifiedEmail.self, access: .authenticated, handler: hasVerifiedEmail)
        routes.query(Operations.GetLatestPendingEmailChange.self, access: .authenticated, handler: pendingChange)
        routes.mutation(
            Operations.DeletePendingEmailChange.self,
            access: .authenticated,
            unaudited: "no change of address is ever pending, so there is none to delete",
            handler: deletePendingChange
        )
        routes.query(Operations.ListUserOrgInvites.self, access: .authenticated, handler: invites)
    }

    func hasVerifiedEmail(_ call: Call<Operations.GetUserHasVerifiedEmail>) async throws -> Bool {
        false
    }

    func pendingChange(
        _ call: Call<Operations.GetLatestPendingEmailChange>
    ) async throws -> GetPendingEmailVerificationResponse {
        throw ServiceError.noPendingEmailChange
    }

    func deletePendingChange(_ call: Call<Operations.DeletePendingEmailChange>) async throws -> NoContent {
        throw ServiceError.noPendingEmailChange
    }

    func invites(_ call: Call<Operations.ListUserOrgInvites>) async throws -> ListOrganizationInvitesResponse {
        ListOrganizationInvitesResponse(invites: [])
    }
}
