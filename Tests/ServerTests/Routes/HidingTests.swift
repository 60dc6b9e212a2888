import Contract
import APITestKit
import HTTPAPI
import Kernel
import Identity
import Telemetry
import TestKit
import Testing

/// The rule for hiding, asked of the real authorizer for every route: what one may not read is not there; what one may
/// read but not do needs a permission that the answer names.
@Suite("What every route shows to whom")
struct HidingTests {
    /// Tells what a route asks of the authorizer.
    private let probe = RouteProbe(StubAuthorizer(.refuse(.notFound)))

    @Test("Somebody of another organization is told that nothing is there", arguments: Engine.available)
    func hides(engine: Engine) async throws {
        try await withFullServer(engine) { server in
            try await server.createStack("acme/site/dev")

            for route in server.routes.routes where isScoped(route) {
                let reply = try await send(route, to: server, as: .eve)
                #expect(reply.status == 404, "\(route.name)")
            }
        }
    }

    @Test("Who was refused is known to the log, though not what of", arguments: [TestCaller.eve, .mia])
    func logsWhomItRefuses(caller: TestCaller) async throws {
        try await withFullServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")

            for route in server.routes.routes where isScoped(route) {
                if caller == .mia, try await isGranted(route) { continue }
                _ = try await send(route, to: server, as: caller)
                let line = try #require(server.log.entries.last { $0.message == "request" })
                let actor = line.fields.last { $0.name == "actor" }?.value
                #expect(actor == .text(caller == .eve ? "eve" : "mia"), "\(route.name)")
            }
        }
    }

    @Test("The administrator of the installation sees no more than others")
    func hidesFromSiteAdministrator() async throws {
        try await withFullServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")

            for route in server.routes.routes where isScoped(route) {
                let reply = try await send(route, to: server, as: .root)
                #expect(reply.status == 404, "\(route.name)")
            }
        }
    }

    @Test("A token that is good in another organization only is told that nothing is there", arguments: [nil, "dev"])
    func hidesFromConfined(login: String?) async throws {
        try await withFullServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")
            let caller = try await server.addToken(confinedTo: login ?? "other", of: login, isAdmin: true)

            for route in server.routes.routes where isScoped(route) {
                let reply = try await send(route, to: server, as: caller)
                #expect(reply.status == 404, "\(route.name)")
            }
        }
    }

    @Test("A member, or a token with the rights of one, is told what permission is missing", arguments: [true, false])
    func namesPermissions(isPerson: Bool) async throws {
        try await withFullServer(.sqlite) { server in
            try await server.createStack("acme/site/dev")
            let caller = isPerson ? TestCaller.mia : try await server.addToken()
            var refused = 0

            for route in server.routes.routes where isScoped(route) {
                if try await isGranted(route) { continue }
                let reply = try await send(route, to: server, as: caller)
                #expect(reply.status == 403, "\(route.name)")
                let scope = route.access.split(separator: "(").last?.dropLast() ?? ""
                #expect(
                    request(route).method == "HEAD" || reply.message?.contains("'\(scope)'") == true,
                    "\(route.name)"
                )
                refused += 1
            }

            #expect(refused >= 2)
        }
    }

    private func send(_ route: Route, to server: TestServer, as caller: TestCaller) async throws -> TestReply {
        try await server.send(request(route), as: caller)
    }

    private func request(_ route: Route) -> TestRequest {
        TestRequest(route.descriptor.method.rawValue, EveryRoute.path(of: route), json: "{}")
    }

    private func isScoped(_ route: Route) -> Bool {
        ["stack(", "project(", "organization("].contains { route.access.hasPrefix($0) }
    }

    /// What a member of an organization with the usual settings may do.
    private func isGranted(_ route: Route) async throws -> Bool {
        _ = try await probe.send(route, authorization: RouteProbe.credential(for: route))
        switch probe.authorizer.requirements.last {
        case .stack(let permission, _): return StackAccessLevel.needed(for: permission) <= .write
        case .project(let permission, _): return OrganizationRole.member.grants(permission)
        case .organization(let permission, _): return OrganizationRole.member.grants(permission)
        default: return true
        }
    }
}
