import APITestKit
import Crypto
import Identity
import Kernel
import Persistence
import TestKit
import Testing

@Suite("Transferring a stack")
struct TransferStackTests {
    private let path = "/api/stacks/acme/site/dev"
    private let toOther = #"{"toOrg":"other"}"#

    @Test("moves it to another organization with its history, tags and state", arguments: Engine.available)
    func transfers(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev", tags: #"{"a":"b"}"#)
            try await server.importState([TestServer.root("site", "dev")], into: "acme/site/dev")
            try await join("dev", "other", in: server)
            let id = try await server.send("GET", path).json["id"].string

            let reply = try await server.send("POST", "\(path)/transfer", json: toOther)

            #expect(reply.status == 204)
            #expect(try await server.send("GET", path).status == 404)
            let moved = try await server.send("GET", "/api/stacks/other/site/dev")
            #expect(moved.json["id"].string == id)
            #expect(moved.json["version"].int == 2)
            #expect(moved.json["tags"].strings == ["a": "b"])
            #expect(try await server.auditActions().filter { $0 == "stack-transferred-to-organization" }.count == 2)
        }
    }

    @Test("keeps its secrets readable, from the new organization only", arguments: Engine.available)
    func keepsSecrets(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let ciphertext = try await encrypt(server)
            _ = try await server.send("POST", "\(path)/rename", json: #"{"newName":"prod"}"#)
            try await join("dev", "other", in: server)

            let reply = try await server.send("POST", "/api/stacks/acme/site/prod/transfer", json: toOther)

            #expect(reply.status == 204)
            let json = #"{"ciphertext":"\#(ciphertext)"}"#
            let there = try await server.send("POST", "/api/stacks/other/site/prod/decrypt", json: json, as: .eve)
            #expect(there.json["plaintext"].string == "b3Blbg==")
            // The names it had would else lead there from the organization it left.
            for name in ["dev", "prod"] {
                let here = try await server.send("POST", "/api/stacks/acme/site/\(name)/decrypt", json: json)
                #expect(here.status == 404)
            }
        }
    }

    @Test("rewrites the owner that the state names for its secrets", arguments: Engine.available)
    func rewritesState(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            let provider = #"{"type":"service","state":{"owner":"acme","project":"site","stack":"dev"}}"#
            let state = TestServer.state([TestServer.root("site", "dev")])
                .replacing(#""resources""#, with: #""secrets_providers":\#(provider),"resources""#)
            let imported = try await server.send("POST", "\(path)/import", json: state)
            try await join("dev", "other", in: server)

            _ = try await server.send("POST", "\(path)/transfer", json: toOther)

            #expect(imported.isSuccess)
            let exported = try await server.send("GET", "/api/stacks/other/site/dev/export")
            #expect(exported.text == state.replacing(#""owner":"acme""#, with: #""owner":"other""#))
        }
    }

    @Test("takes away the grants of people who do not belong there", arguments: Engine.available)
    func dropsGrants(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev", as: .mia)
            try await join("dev", "other", in: server)

            _ = try await server.send("POST", "\(path)/transfer", json: toOther)

            let metadata = try await server.send("GET", "/api/stacks/other/site/dev/metadata", as: .eve)
            let grants = try await server.send("GET", "/api/stacks/other/site/dev/collaborators", as: .eve)
            #expect(metadata.json["ownedBy"]["githubLogin"].string == "dev")
            #expect(grants.json["users"].array.isEmpty)
            #expect(try await server.send("GET", "/api/stacks/other/site/dev", as: .mia).status == 404)
        }
    }

    @Test("is refused where it cannot be done, and changes nothing", arguments: Engine.available)
    func refuses(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")

            let bodies: [(String, Int)] = [
                (toOther, 404), (#"{"toOrg":"nowhere"}"#, 404), (#"{"toOrg":"acme"}"#, 400), ("{}", 400),
                (#"{"toOrg":"a b"}"#, 400), (#"{"toOrg":"other","stackName":"prod"}"#, 400),
                (#"{"toOrg":"other","projectName":"x"}"#, 400), (#"{"toOrg":"other","fromOrg":"x"}"#, 400),
            ]
            for (json, status) in bodies {
                #expect(try await server.send("POST", "\(path)/transfer", json: json).status == status, "\(json)")
            }
            for (caller, status) in [(TestCaller.stranger, 401), (.eve, 404), (.mia, 403)] {
                let reply = try await server.send("POST", "\(path)/transfer", json: toOther, as: caller)
                #expect(reply.status == status)
            }
            #expect(try await server.stackExists("acme/site/dev"))
        }
    }

    @Test("waits for nobody: a name that is taken and an update that runs refuse it", arguments: Engine.available)
    func conflicts(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.createStack("acme/site/busy")
            try await server.createStack("other/site/dev", as: .eve)
            try await join("dev", "other", in: server)
            try await server.begin("update", of: "acme/site/busy")

            for stack in ["dev", "busy"] {
                let reply = try await server.send("POST", "/api/stacks/acme/site/\(stack)/transfer", json: toOther)
                #expect(reply.status == 409)
                #expect(try await server.stackExists("acme/site/\(stack)"))
            }
        }
    }

    private func encrypt(_ server: TestServer) async throws -> String {
        let reply = try await server.send("POST", "\(path)/encrypt", json: #"{"plaintext":"b3Blbg=="}"#)
        return try #require(reply.json["ciphertext"].string, "\(reply)")
    }

    private func join(_ login: String, _ organization: String, in server: TestServer) async throws {
        let now = server.clock.effects.now()
        try await server.database.write { tx in
            let store = AccountStore()
            guard let user = try store.find(login: OrganizationName(login), in: tx),
                let id = try store.findOrganization(OrganizationName(organization), in: tx)
            else { throw ServiceError.organizationNotFound(organization) }
            try store.insertMembership(of: user.id, in: id, role: .member, at: now, tx: tx)
        }
    }
}
