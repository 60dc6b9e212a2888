import Contract
import HTTPAPI
import HTTPServer
import Kernel
import Synchronization
import Telemetry
import Testing

@Suite("Admission of a request")
struct AdmissionTests {
    private static let update = "/stacks/acme/site/dev/update/0190f3c2-0000-7000-8000-000000000001"

    @Test(
        "to an open operation does not look at credentials",
        arguments: [[], ["token bad"], ["Basic x"], ["token a", "token b"], ["update-token x"]]
    )
    func ignoresCredentials(values: [String]) async throws {
        let lab = Lab(authorizer: Refusal(.unauthenticated)) { routes in
            routes.query(GiveNote.self, access: .anonymous) { call -> Note in Note(call.actor.login) }
        }

        let reply = try await LabReply(await lab.pipeline.respond(to: request("GET", "/note", values)))

        #expect(reply.status == 200)
        #expect(reply.text == #"{"text":"anonymous"}"#)
    }

    @Test("with two credentials is refused: whoever stands before us may have read the other one")
    func refusesTwoCredentials() async throws {
        let lab = Lab.echo()

        let reply = try await LabReply(
            await lab.pipeline.respond(to: request("POST", "/raw", ["token good", "token good"]))
        )

        #expect(reply.status == 400)
        #expect(reply.message.contains("Authorization"))
    }

    @Test(
        "tells a stranger nothing of what is wrong with the path, and others all of it",
        arguments: [([], 401), (["token bad"], 401), (["token good"], 400)] as [([String], Int)]
    )
    func hidesPathProblems(values: [String], status: Int) async throws {
        let lab = Lab { routes in
            routes.query(GiveThing.self, access: .authenticated) { call -> Note in Note(call.path.thing) }
        }

        let reply = try await LabReply(await lab.pipeline.respond(to: request("GET", "/things/%FF/of/x", values)))

        #expect(reply.status == status)
        #expect(reply.message.contains("thing: is not UTF-8") == (status == 400))
    }

    @Test(
        "never tells the holder of a lease to log in",
        arguments: [[], ["token good"], ["Basic x"], ["update-token x"]]
    )
    func keepsLeaseHoldersFromLogin(values: [String]) async throws {
        let lab = Lab(authorizer: Refusal(.unauthenticated)) { routes in
            routes.mutation(StepUpdate.self, access: .updateLease, unaudited: "a step") { _ -> NoContent in
                NoContent()
            }
        }

        let reply = try await LabReply(await lab.pipeline.respond(to: request("POST", Self.update, values)))

        #expect(reply.status == 403)
        #expect(reply.headers["WWW-Authenticate"] == nil)
    }

    @Test("that is refused leaves the body unread", arguments: [ServiceError.Code.permissionDenied, .notFound])
    func leavesBody(code: ServiceError.Code) async throws {
        let lab = Lab(authorizer: Refusal(code)) { routes in
            routes.query(EchoJSON.self, access: .authenticated) { call -> Note in call.body }
        }
        let body = RequestBody(bytes: Array("{}".utf8))

        let reply = try await lab.send("POST", "/echo", body: body)

        #expect(reply.status == (code == .notFound ? 404 : 403))
        #expect(!body.wasRead)
    }

    @Test("that is refused is logged with the name of whom it was refused", arguments: ["/note", "/things/%FF/of/x"])
    func logsRefused(target: String) async throws {
        struct Refusing: Authorizer {
            func admit(_: Credential?, to _: Requirement, from address: String) async throws -> Admission {
                let actor = Actor(kind: .user, userID: nil, login: "eve", sourceAddress: address)
                throw AdmissionRefusal(of: actor, ServiceError(.notFound, "Not Found: nothing is there"))
            }
        }
        let lab = Lab(authorizer: Refusing()) { routes in
            routes.query(GiveNote.self, access: .authenticated) { _ -> Note in Note("x") }
            routes.query(GiveThing.self, access: .authenticated) { call -> Note in Note(call.path.thing) }
        }

        let reply = try await lab.send("GET", target)

        #expect(reply.status == 404)
        #expect(!reply.text.contains("eve"))
        #expect(lab.lines.first?["actor"] == .text("eve"))
    }

    @Test("of an authorizer that breaks is an error of ours, without its text")
    func survivesBrokenAuthorizer() async throws {
        struct Broken: Error {}
        struct Breaking: Authorizer {
            func admit(_: Credential?, to _: Requirement, from _: String) async throws -> Admission { throw Broken() }
        }
        let lab = Lab(authorizer: Breaking()) { routes in
            routes.query(GiveNote.self, access: .authenticated) { _ -> Note in Note("x") }
        }

        let reply = try await lab.send("GET", "/note")

        #expect(reply.status == 500)
        #expect(!reply.text.contains("Broken"))
    }

    @Test(
        "decodes parameters once, and twice where clients encode them twice",
        arguments: [
            ("a/of/b", "a b"),
            ("a%2Fb/of/c%2Fd", "a/b c/d"),
            ("a%252Fb/of/c%252Fd", "a%2Fb c/d"),
            ("%C3%A4/of/%25C3%25A4", "ä ä"),
            ("a+b/of/c+d", "a+b c+d"),
            ("a%3Fb/of/%23", "a?b #"),
        ]
    )
    func decodes(path: String, expected: String) async throws {
        let lab = Lab { routes in
            routes.query(GiveThing.self, access: .authenticated) { call -> Note in
                Note("\(call.path.thing) \(call.path.accountName)")
            }
        }

        let reply = try await lab.send("GET", "/things/\(path)")

        #expect(reply.text == #"{"text":"\#(expected)"}"#)
    }

    @Test("gives the address of the peer to the authorizer")
    func passesAddress() async throws {
        let lab = Lab { routes in
            routes.query(GiveNote.self, access: .authenticated) { call -> Note in Note(call.actor.sourceAddress ?? "") }
        }

        let reply = try await LabReply(
            await lab.pipeline.respond(
                to: HTTPRequest(
                    method: .get,
                    target: RawTarget("/note"),
                    headers: ["Authorization": "token good"],
                    peer: PeerAddress(text: "203.0.113.7", port: 1)
                )
            )
        )

        #expect(reply.text == #"{"text":"203.0.113.7"}"#)
    }

    private func request(_ method: String, _ target: String, _ credentials: [String]) -> HTTPRequest {
        var headers: HTTPHeaders = [:]
        for value in credentials { headers.append("Authorization", value) }
        return HTTPRequest(method: HTTPMethod(method), target: RawTarget(target), headers: headers)
    }
}

/// Refuses everybody.
private struct Refusal: Authorizer {
    let code: ServiceError.Code

    init(_ code: ServiceError.Code) {
        self.code = code
    }

    func admit(
        _ credential: Credential?,
        to requirement: Requirement,
        from address: String
    ) async throws -> Admission {
        throw ServiceError(code, "refused by the test")
    }
}
