import APITestKit
import Contract
import HTTPAPI
import Identity
import Kernel
import Persistence
import TestKit
import Testing

@Suite("Access with the token of a running update")
struct LeaseAccessTests {
    private let path = "/api/stacks/acme/site/dev/update/0194b8a6-0000-7000-8000-000000000001/renew_lease"

    @Test(
        "is for whoever holds its lease, and never asks to log in",
        arguments: [
            (TestCaller.updateToken("lease"), 200), (.updateToken("other"), 403), (.dev, 403), (.stranger, 403),
            (TestCaller(authorization: "update-token"), 403), (TestCaller(authorization: "Bearer lease"), 403),
        ]
    )
    func admits(caller: TestCaller, status: Int) async throws {
        try await withLeaseServer { server in
            let reply = try await server.send("POST", path, json: "{}", as: caller)

            #expect(reply.status == status)
        }
    }

    @Test(
        "is refused where there is no such update, or can be none",
        arguments: [("0194b8a6-0000-7000-8000-00000000000f", 404), ("x", 403)]
    )
    func refusesOtherUpdates(update: String, status: Int) async throws {
        try await withLeaseServer { server in
            let path = "/api/stacks/acme/site/dev/update/\(update)/renew_lease"

            let reply = try await server.send("POST", path, json: "{}", as: .updateToken("lease"))

            #expect(reply.status == status)
        }
    }

    @Test("does not open what takes an access token")
    func opensNothingElse() async throws {
        try await withLeaseServer { server in
            let reply = try await server.send("GET", "/api/user", as: .updateToken("lease"))

            #expect(reply.status == 401)
        }
    }

    private func withLeaseServer(_ body: (TestServer) async throws -> Void) async throws {
        let leases = TestLeases { token, update, stack, _ in
            guard update.description.hasSuffix("1") else {
                throw ServiceError(.notFound, "Not Found: Update not found")
            }
            guard token == "lease" else { throw ServiceError(.permissionDenied, "Forbidden: another token") }
            let id = "0194b8a6-0000-7000-8000-000000000002"
            guard let organization = OrganizationID(id), let stack = StackID(id) else { throw CancellationError() }
            return LeaseHolder(user: nil, login: "dev", organization: organization, stack: stack)
        }
        try await withTestServer(.sqlite, leases: leases, routes: { [LeaseRoutes(database: $0, effects: $1)] }, body)
    }
}

/// Two routes: one for the holder of a lease, one for people.
private struct LeaseRoutes: RouteGroup {
    let database: Database
    let effects: Effects

    func register(on routes: inout RouteTable) {
        routes.mutation(
            Operations.RenewUpdateLeaseUpdate.self,
            access: .updateLease,
            unaudited: "a test",
            handler: { call -> AppRenewUpdateLeaseResponse in AppRenewUpdateLeaseResponse(token: call.actor.login) }
        )
        CurrentUserRoutes(users: CurrentUserService(database: database, effects: effects)).register(on: &routes)
    }
}
