import Contract
import HTTPAPI
import HTTPServer
import Kernel
import Testing

@Suite("Access to every route")
struct RouteAccessTests {
    @Test("A stranger is told to log in, and nothing of the body is read")
    func refusesStrangers() async throws {
        let probe = RouteProbe()

        for route in EveryRoute.guarded {
            let outcome = try await probe.send(route)

            #expect(outcome.status == (isLease(route) ? 403 : 401), "\(route.name)")
            #expect(!outcome.bodyWasRead, "\(route.name)")
        }
        #expect(probe.authorizer.requirements.isEmpty)
    }

    @Test("A credential of another kind counts as none")
    func refusesOtherKinds() async throws {
        let probe = RouteProbe()

        for route in EveryRoute.guarded {
            let other = isLease(route) ? "token x" : "update-token x"
            let outcome = try await probe.send(route, authorization: other)

            #expect(outcome.status == (isLease(route) ? 403 : 401), "\(route.name)")
            #expect(!outcome.bodyWasRead, "\(route.name)")
        }
        #expect(probe.authorizer.requirements.isEmpty)
    }

    @Test("A stranger does not even learn that a name in the path is malformed")
    func hidesRulesFromStrangers() async throws {
        let probe = RouteProbe()
        let names = ["orgName", "projectName", "stackName", "updateID"]

        for route in EveryRoute.guarded where route.template.parameters.contains(where: { names.contains($0.name) }) {
            let bad = Dictionary(uniqueKeysWithValues: names.map { ($0, "a%20b") })
            let outcome = try await probe.send(route, path: EveryRoute.path(of: route, changing: bad))

            #expect(outcome.status == (isLease(route) ? 403 : 401), "\(route.name)")
        }
    }

    @Test(
        "What the authorizer refuses is refused, and nothing of the body is read",
        arguments: [
            (ServiceError.Code.permissionDenied, 403), (.notFound, 404), (.unauthenticated, 401), (.unavailable, 503),
        ]
    )
    func obeysAuthorizer(code: ServiceError.Code, status: Int) async throws {
        let probe = RouteProbe(StubAuthorizer(.refuse(code)))

        for route in EveryRoute.guarded {
            let outcome = try await probe.send(route, authorization: RouteProbe.credential(for: route))

            // Who holds no lease is never told to log in.
            let isReworded = isLease(route) && code == .unauthenticated
            #expect(outcome.status == (isReworded ? 403 : status), "\(route.name)")
            #expect(isReworded || outcome.message == "refused by the test", "\(route.name)")
            #expect(!outcome.bodyWasRead, "\(route.name)")
        }
        #expect(probe.authorizer.requirements.count == EveryRoute.guarded.count)
    }

    @Test("What is asked of the authorizer names the resource of the path")
    func namesResource() async throws {
        let probe = RouteProbe(StubAuthorizer(.refuse(.notFound)))

        for route in EveryRoute.guarded {
            _ = try await probe.send(route, authorization: RouteProbe.credential(for: route))
            let requirement = try #require(probe.authorizer.requirements.last, "\(route.name)")

            switch requirement {
            case .stack(let permission, let stack):
                #expect(route.access == "stack(\(permission))" && stack.description == "acme/site/dev", "\(route.name)")
            case .project(let permission, let project):
                #expect(route.access == "project(\(permission))" && project.description == "acme/site", "\(route.name)")
            case .organization(let permission, let name):
                #expect(route.access == "organization(\(permission))" && name.rawValue == "acme", "\(route.name)")
            case .updateLease(_, let stack):
                #expect(route.access == "update-lease" && stack.description == "acme/site/dev", "\(route.name)")
            case .authenticated:
                #expect(route.access == "authenticated", "\(route.name)")
            case .siteAdmin:
                #expect(route.access == "site-admin", "\(route.name)")
            case .anonymous:
                Issue.record("\(route.name) asks for nobody")
            }
        }
    }

    @Test("What is not built answers 501 to those who may ask, names itself, and reads nothing")
    func answersUnimplemented() async throws {
        let probe = RouteProbe()

        for route in EveryRoute.routes where !route.isImplemented {
            let outcome = try await probe.send(route, authorization: RouteProbe.credential(for: route))

            #expect(outcome.status == 501, "\(route.name)")
            #expect(outcome.message.contains(" \(route.descriptor.id) "), "\(route.name)")
            #expect(!outcome.bodyWasRead, "\(route.name)")
        }
    }

    @Test("Every refusal has the wire form of errors and a request id")
    func rendersErrors() async throws {
        let probe = RouteProbe(StubAuthorizer(.refuse(.permissionDenied)))

        for route in EveryRoute.guarded {
            for authorization in [nil, RouteProbe.credential(for: route)] {
                let outcome = try await probe.send(route, authorization: authorization)

                #expect(outcome.code == String(outcome.status), "\(route.name)")
                #expect(!outcome.message.isEmpty, "\(route.name)")
                #expect(outcome.headers["Content-Type"] == "application/json", "\(route.name)")
                #expect(outcome.headers.values(for: "X-Pulumi-Request-ID").count == 1, "\(route.name)")
            }
        }
    }

    private func isLease(_ route: Route) -> Bool {
        route.credential == .updateToken
    }
}
