import Contract
package import HTTPAPI
import Kernel

/// The policies that a stack is under.
///
/// Nothing can publish a policy pack or make a policy group yet, so no stack has any: the lists are empty because there
/// is nothing to be in them.
package struct StackPolicyRoutes: RouteGroup {
    package init() {}

    package func register(on routes: inout RouteTable) {
        routes.query(Operations.GetStackPolicyGroups.self, access: .stack(.read), handler: groups)
        routes.query(Operations.GetStackPolicyPacks.self, access: .stack(.read), handler: packs)
    }

    func groups(_ call: Call<Operations.GetStackPolicyGroups>) async throws -> AppListPolicyGroupsResponse {
        AppListPolicyGroupsResponse(policyGroups: [])
    }

    func packs(_ call: Call<Operations.GetStackPolicyPacks>) async throws -> AppGetStackPolicyPacksResponse {
        AppGetStackPolicyPacksResponse(requiredPolicies: [])
    }
}
