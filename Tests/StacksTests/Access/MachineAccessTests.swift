import APITestKit
import Persistence
import TestKit
import Testing

/// What tokens that belong to an organization, or are good in one only, can do with stacks.
@Suite("Tokens that are good in one organization")
struct MachineAccessTests {
    private let path = "/api/stacks/acme/site/dev"

    @Test("run updates of stacks in it, under the token's name", arguments: Engine.available)
    func updates(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            let caller = try await server.addToken()
            try await server.createStack("acme/site/dev", as: caller)

            let created = try await server.send("POST", "\(path)/update", json: Self.program, as: caller)
            let id = try #require(created.json["updateID"].string)
            let started = try await server.send("POST", "\(path)/update/\(id)", json: "{}", as: caller)
            let token = try #require(started.json["token"].string)
            let ended = try await server.send(
                "POST",
                "\(path)/update/\(id)/complete",
                json: #"{"status":"succeeded"}"#,
                as: .updateToken(token)
            )

            #expect(ended.isSuccess)
            let history = try await server.send("GET", "\(path)/updates?output-type=service", as: caller)
            #expect(history.json["updates"][0]["requestedBy"]["githubLogin"].string == "ci", "\(history)")
            let names = try await server.database.read { tx in
                try tx.all("SELECT DISTINCT actor_kind FROM audit_events ORDER BY actor_kind") { try $0.text(0) }
            }
            #expect(names == ["organization-token", "update-lease"])
        }
    }

    @Test("may do what a member may by default, and with an administrator's rights everything", arguments: [101, 102])
    func followDefault(level: Int) async throws {
        for engine in Engine.available {
            try await withStackServer(engine) { server in
                try await server.createStack("acme/site/dev")
                try await server.database.write { tx in
                    _ = try tx.execute("UPDATE organizations SET default_stack_permission = \(level)")
                }
                let member = try await server.addToken()
                let admin = try await server.addToken(isAdmin: true)

                let read = try await server.send("GET", path, as: member)
                let write = try await server.send("POST", "\(path)/update", json: Self.program, as: member)
                let delete = try await server.send("DELETE", path, as: member)
                let all = try await server.send("POST", "\(path)/update", json: Self.program, as: admin)
                let gone = try await server.send("DELETE", path, as: admin)

                #expect([read.status, write.status, delete.status] == [200, level == 102 ? 200 : 403, 403])
                #expect([all.status, gone.status] == [200, 204])
            }
        }
    }

    @Test("see nothing where members see nothing by default", arguments: Engine.available)
    func seeNothing(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("acme/site/dev")
            try await server.database.write { tx in
                _ = try tx.execute("UPDATE organizations SET default_stack_permission = 0")
            }
            let member = try await server.addToken()
            let admin = try await server.addToken(isAdmin: true)

            #expect(try await server.send("GET", path, as: member).status == 404)
            let byMember = try await list(server, as: member)
            #expect(byMember == [])
            #expect(try await server.send("GET", path, as: admin).status == 200)
            let byAdmin = try await list(server, as: admin)
            #expect(byAdmin == ["acme/dev"])
        }
    }

    @Test("list the stacks of that organization, whatever else their maker or person sees", arguments: Engine.available)
    func list(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            for stack in ["acme/site/dev", "dev/site/own"] { try await server.createStack(stack) }
            try await server.createStack("other/site/dev", as: .eve)
            let machine = try await server.addToken(isAdmin: true)
            let person = try await server.addToken(of: "dev")

            let byDev = try await list(server, as: .dev)
            #expect(byDev == ["acme/dev", "dev/own"])
            let byMachine = try await list(server, as: machine)
            #expect(byMachine == ["acme/dev"])
            let byPerson = try await list(server, as: person)
            #expect(byPerson == ["acme/dev"])
        }
    }

    @Test("reach no stack of another organization", arguments: Engine.available)
    func staysInside(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            try await server.createStack("dev/site/own")
            try await server.createStack("acme/site/dev")
            let machine = try await server.addToken(isAdmin: true)
            let person = try await server.addToken(of: "dev")

            for caller in [machine, person] {
                #expect(try await server.send("GET", "/api/stacks/dev/site/own", as: caller).status == 404)
                let made = try await server.send(
                    "POST",
                    "/api/stacks/dev/site",
                    json: #"{"stackName":"x"}"#,
                    as: caller
                )
                let moved = try await server.send(
                    "POST",
                    "\(path)/transfer",
                    json: #"{"toOrg":"dev"}"#,
                    as: caller
                )
                #expect(made.status == 404)
                #expect((400..<500).contains(moved.status), "\(moved)")
            }
            #expect(try await server.stackExists("acme/site/dev"))
        }
    }

    @Test("leave stacks that they make without an owner among people", arguments: Engine.available)
    func ownNothing(engine: Engine) async throws {
        try await withStackServer(engine) { server in
            let caller = try await server.addToken()

            try await server.createStack("acme/site/dev", as: caller)

            #expect(try await server.send("GET", "\(path)/collaborators").json["users"].array.isEmpty)
            #expect(try await server.send("GET", path, as: .mia).status == 200)
            #expect(try await server.send("GET", path, as: caller).status == 200)
        }
    }

    private static let program =
        #"{"name":"site","runtime":"yaml","main":"","description":"","options":{},"config":{}}"#

    private func list(_ server: TestServer, as caller: TestCaller) async throws -> [String] {
        let reply = try await server.send("GET", "/api/user/stacks", as: caller)
        return reply.json["stacks"].array.map { "\($0["orgName"].string ?? "")/\($0["stackName"].string ?? "")" }
    }
}
